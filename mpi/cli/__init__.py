"""The command line: each command parses, calls one service and shows what came of it. One file a command group."""

import multiprocessing
import pickle
import signal
import sys
from types import TracebackType


def _tell_unless_abandoned(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A worker whose command went away while starting it (half a message, a lock without a name) has nothing to say."""
    nameless = isinstance(error, FileNotFoundError) and error.filename is None
    if not (nameless or isinstance(error, EOFError | pickle.UnpicklingError)):
        sys.__excepthook__(kind, error, trace)


if getattr(multiprocessing.current_process(), "_inheriting", False):
    # This is a worker process, which imports its command's module before anything else. Ctrl-C reaches it as well, but
    # is for the command that started it, and that lets it go in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _tell_unless_abandoned
