#!/bin/sh
# Builds or updates .venv from one lock file: tools/environment.sh requirements/base.txt
# Uses uv when it is on PATH and can install, else venv and pip. Every package is checked against its hash and
# comes as a wheel, so no compiler is needed. Where packages come from is the user's own configuration.
set -eu
cd "$(dirname "$0")/.."
lock=$1
here=$(pwd)

fail() {
    echo "setup: $*" >&2
    exit 1
}

find_python() {
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer with its venv module is needed, and none was found on PATH."
}

# True for an environment whose interpreter runs and whose scripts point at this folder (a moved checkout's do not).
usable() {
    .venv/bin/python -c '' 2>/dev/null && grep -qF "$here/.venv" .venv/bin/activate
}

install_with_uv() {
    usable || uv venv --quiet --clear --python "$python" .venv || return 1
    uv pip install --quiet --python .venv/bin/python --require-hashes --only-binary :all: -r "$lock" &&
        uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
}

install_with_pip() {
    usable || "$python" -m venv --clear .venv || return 1
    .venv/bin/python -c 'import pip' 2>/dev/null || .venv/bin/python -m ensurepip >/dev/null || return 1
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: -r "$lock" &&
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
}

python=$(find_python)
[ -f "$lock" ] || fail "$lock is missing; 'make lock' writes it."
echo "setup: installing $lock into .venv with $python"
if command -v uv >/dev/null 2>&1; then
    install_with_uv && exit 0
    echo "setup: uv could not install it; trying pip" >&2
fi
install_with_pip || fail "the packages of $lock could not be installed; the lines above say why."
