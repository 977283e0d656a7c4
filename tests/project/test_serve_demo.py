"""`make serve`: from nothing to a desk that somebody can sign in to, and again without making anything anew."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reviewer_ui.running_desk import Visitor

ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The desk's address and the printed passwords, by account."""
    settings = {"FOLDER": str(folder), "PERSONS": "300", "HTTP": "127.0.0.1:0", "RPC": "127.0.0.1:0"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MPI_")}
    words = [str(ROOT / "tools" / "serve_demo.sh")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**kept, **settings}) as process:
        try:
            assert process.stdout is not None
            printed = []
            while not (found := re.search(r"desk at (http://\S+)", (line := process.stdout.readline()))):
                assert line, "it ended before it was ready"
                printed.append(line.split())
            yield found[1], {row[0]: row[2] for row in printed if len(row) == 3}
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_make_serve_gives_a_desk_and_the_ways_in(tmp_path: Path) -> None:
    assert re.search(r"^serve:.*\n\t@tools/serve_demo\.sh$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    folder = tmp_path / "desk"
    with served(folder) as (address, passwords):
        del passwords["account"]
        assert set(passwords) == {"steward", "steward2", "lead", "auditor", "admin"}
        for name, password in passwords.items():
            assert Visitor(address).sign_in(name, password).status_code == 303
    assert (folder / "accounts.txt").stat().st_mode & 0o077 == 0
    made = (folder / "registry.db.secret").stat().st_mtime_ns
    with served(folder) as (address, again):
        assert {**passwords, "account": "password"} == again
        assert Visitor(address).sign_in("steward", passwords["steward"]).status_code == 303
    assert (folder / "registry.db.secret").stat().st_mtime_ns == made
