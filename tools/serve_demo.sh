#!/bin/sh
# Serves the stewards' desk and gRPC over a made-up city, made the first time together with accounts to sign in with.
# Their passwords are of chance and stand in demo-desk/accounts.txt, for this checkout's owner alone.
set -eu
cd "$(dirname "$0")/.."
mpi=.venv/bin/mpi
home=demo-desk
registry=sqlite:///$home/registry.db

if [ ! -f $home/accounts.txt ]; then
    $mpi demo --persons 5000 --out $home >/dev/null
    (umask 077 && $mpi accounts demo --db $registry >$home/accounts.new)
    mv $home/accounts.new $home/accounts.txt
fi
cat $home/accounts.txt
echo
exec $mpi serve --db $registry --create --rpc "${RPC:-127.0.0.1:50051}" --http "${HTTP:-127.0.0.1:8080}"
