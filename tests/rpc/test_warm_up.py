"""A server that has warmed up compiles nothing while it answers, stewards included."""

import json
import subprocess
import sys


def test_stewards_wait_for_no_compiling() -> None:
    ran = subprocess.run([sys.executable, "-m", "tests.rpc.desk_work"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []
