"""The floor: `python -m benchmarks.online.echo` answers with the message that it was sent, as `mpi serve` would.

The server, its threads, its options and its parsing of methods are those of mpi.rpc; nothing is checked or looked up.
"""

import json
import signal
import sys
import threading

import grpc

from benchmarks.online.messages import ECHO
from mpi.identity.v1 import identity_service_pb2 as service
from mpi.rpc.calls import Handler, Method, Methods, Pool
from mpi.rpc.server import _OPTIONS, Limits


def _echo(data: bytes, _context: grpc.ServicerContext) -> bytes:
    return service.MatchRequest.FromString(data).SerializeToString()


def main() -> None:
    """Answer until SIGTERM comes; tells the address in one line of JSON."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    limits = Limits()
    pool = Pool(limits.threads, "echo")
    handler: Handler = grpc.unary_unary_rpc_method_handler(_echo)
    server = grpc.server(pool, options=_OPTIONS, maximum_concurrent_rpcs=limits.most)
    server.add_generic_rpc_handlers((Methods({ECHO: Method(handler, pool, limits.calls, handler)}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(json.dumps({"rpc": f"127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    ended.wait()
    server.stop(1.0).wait()


if __name__ == "__main__":
    main()
