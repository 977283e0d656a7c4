"""The README's commands run as they stand there, in their order; its tables say what the code says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from mpi.cli.errors import MEANINGS
from mpi.domain.records import CANONICAL_COLUMNS
from mpi.settings import Settings
from tests.cli.conftest import ROOT, Mpi
from tests.postgres import PostgresServer

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """Every `mpi` command of the README's shell blocks, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("mpi ")]


def with_real_names(words: list[str], *, postgres_url: str) -> list[str]:
    """The words with what stands for something replaced by something that is there."""
    if Path("people.parquet").exists():
        records = pq.read_table("people.parquet").to_pylist()
        keys = iter(f"{row['source_system']}:{row['source_record_id']}" for row in records)
        words = [next(keys) if word == "SOURCE:ID" else word for word in words]
        words = [records[0]["enterprise_id"] if word == "ENTERPRISE_ID" else word for word in words]
    return [postgres_url if word.startswith("postgresql://") else word for word in words]


def test_readme_commands_run(postgres: PostgresServer, mpi: Mpi) -> None:
    found = commands()
    assert {words[1] for words in found} == {
        *("synth", "link", "export", "evaluate", "explain", "person", "runs", "db", "rules", "demo")
    }
    url = postgres.create_database("readme")
    try:
        for words in found:
            ran = mpi(*with_real_names(words[1:], postgres_url=url))
            assert ran.code == 0, f"{shlex.join(words)}: {ran.err}"
            assert ran.out
    finally:
        postgres.drop_database("readme")


def test_readme_names_every_canonical_column_exit_code_and_setting() -> None:
    assert re.findall(r"^\| `(\w+)` \| (?:yes)? ?\|", README, flags=re.MULTILINE) == list(CANONICAL_COLUMNS)
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^\| {code} \| {re.escape(meaning)}", README, flags=re.MULTILINE), code
    for name in Settings.model_fields:
        assert f"`MPI_{name.upper()}`" in README


def test_readme_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_demo_target_calls_the_demo_command() -> None:
    (line,) = re.findall(r"^demo:.*\n\t(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    words = shlex.split(line)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-m", "mpi.cli.main", words[1], "--help"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert words[0] == ".venv/bin/mpi"
    assert {"--persons", "--out"} <= set(words)
    assert all(word in shown.stdout for word in words if word.startswith("--"))
