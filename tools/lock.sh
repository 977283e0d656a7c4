#!/bin/sh
# Resolves pyproject.toml into requirements/*.txt: hashed, for every platform, and naming no package index.
# The four files agree on every version, because all are held to one resolution of everything. UV=... names another uv.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null 2>&1 || { echo "lock: uv is needed to resolve the lock, and was not found on PATH." >&2; exit 1; }
everything=$(mktemp)
trap 'rm -f "$everything"' EXIT

resolve() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --no-header --upgrade "$@" pyproject.toml requirements/build.in
}

resolve --no-annotate --all-extras --output-file "$everything"
resolve --no-annotate --generate-hashes --constraints "$everything" --output-file requirements/base.txt
for extra in test bench spark; do
    resolve --no-annotate --generate-hashes --constraints "$everything" --extra "$extra" --output-file "requirements/$extra.txt"
done
