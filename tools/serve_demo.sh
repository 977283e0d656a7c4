#!/bin/sh
# Serves the stewards' desk and gRPC over a made-up city, made the first time together with accounts to sign in with.
# Their passwords are of chance and stand in demo-desk/accounts.txt, for this checkout's owner alone. FOLDER, PERSONS,
# HTTP and RPC may be set otherwise in the environment.
set -eu
cd "$(dirname "$0")/.."
mpi=.venv/bin/mpi
folder=${FOLDER:-demo-desk}
registry=sqlite:///$folder/registry.db

if [ ! -f "$folder/accounts.txt" ]; then
    $mpi demo --persons "${PERSONS:-5000}" --out "$folder" >/dev/null
    (umask 077 && $mpi accounts demo --db "$registry" >"$folder/accounts.new")
    mv "$folder/accounts.new" "$folder/accounts.txt"
fi
cat "$folder/accounts.txt"
echo
exec $mpi serve --db "$registry" --create --rpc "${RPC:-127.0.0.1:50051}" --http "${HTTP:-127.0.0.1:8080}"
