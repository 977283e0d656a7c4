"""The import contracts of pyproject.toml, each shown to break on a small package that breaks it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(folder: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Lint packages `mpi` and `reviewer_ui` made of modules (name to source) under the project's own contracts."""
    for name, text in {"mpi.domain.records": "", "reviewer_ui.app": "", **modules}.items():
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        for parent in path.relative_to(folder).parents:
            if parent.name:
                (folder / parent / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    start = "import importlinter.cli as command; command.lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", start, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        ({"mpi.domain.bad": "import numpy"}, "domain is standard library only"),
        ({"mpi.domain.bad": "import sqlite3"}, "domain is standard library only"),
        ({"mpi.standardise.bad": "import urllib.request"}, "standardise is pure"),
        ({"mpi.matching.bad": "import pyarrow"}, "matching is numpy and numba"),
        ({"mpi.persons.bad": "import duckdb"}, "persons is pure"),
        ({"mpi.persons.bad": "import duckdb"}, "DuckDB, Splink and Spark only in batch"),
        ({"mpi.registry.bad": "import splink"}, "DuckDB, Splink and Spark only in batch"),
        ({"mpi.services.bad": "from sqlalchemy import select"}, "SQLAlchemy only in registry"),
        ({"mpi.domain.bad": "import mpi.rules.load", "mpi.rules.load": ""}, "Imports only go down"),
        ({"mpi.batch.bad": "import mpi.registry.tables", "mpi.registry.tables": ""}, "Imports only go down"),
        ({"mpi.unheard_of.bad": ""}, "Imports only go down"),
        ({"mpi.services.bad": "import grpc"}, "gRPC and protobuf only in rpc, client and the generated code"),
        (
            {"mpi.services.bad": "from google.protobuf import message"},
            "gRPC and protobuf only in rpc, client and the generated code",
        ),
        (
            {"mpi.client.bad": "import mpi.domain.records"},
            "client knows grpc and the generated code only",
        ),
        ({"mpi.rpc.bad": "import mpi.cli.main", "mpi.cli.main": ""}, "Imports only go down"),
        ({"mpi.services.bad": "import fastapi"}, "FastAPI, Jinja and babel only in reviewer_ui"),
        (
            {"mpi.services.stewardship.bad": "import mpi.services.desk.search", "mpi.services.desk.search": ""},
            "nothing in services rests on what the desk looks at",
        ),
        (
            {"mpi.services.bad": "import mpi.services.stewardship.undoing", "mpi.services.stewardship.undoing": ""},
            "what stewards decide rests on linking and resolving, not they on it",
        ),
        ({"mpi.rpc.bad": "import reviewer_ui.app"}, "only the command starts reviewer_ui"),
        ({"mpi.registry.bad": "import argon2"}, "argon2 only in services"),
        ({"reviewer_ui.bad": "import argon2"}, "argon2 only in services"),
        ({"reviewer_ui.bad": "import sqlalchemy"}, "SQLAlchemy only in registry"),
        (
            {"reviewer_ui.bad": "import mpi.registry.tables", "mpi.registry.tables": ""},
            "reviewer_ui is a shell over services",
        ),
        ({"reviewer_ui.bad": "import mpi.rpc.server", "mpi.rpc.server": ""}, "reviewer_ui is a shell over services"),
        (
            {"mpi.synthetic.bad": "import mpi.matching.kernel", "mpi.matching.kernel": ""},
            "synthetic knows domain and standardise only",
        ),
    ],
)
def test_contract_breaks(tmp_path: Path, modules: dict[str, str], contract: str) -> None:
    run = lint(tmp_path, modules)
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"{contract} BROKEN" in run.stdout


def test_contracts_hold_where_each_package_belongs(tmp_path: Path) -> None:
    modules = {
        "mpi.domain.model": "import dataclasses, enum",
        "mpi.standardise.names": "import unicodedata\nimport mpi.domain.model",
        "mpi.matching.kernel": "import numpy, numba\nimport mpi.domain.model",
        "mpi.registry.tables": "import sqlalchemy, psycopg\nimport mpi.domain.model",
        "mpi.batch.link": "import duckdb, splink\nimport mpi.matching.kernel",
        "mpi.services.link": "import mpi.batch.link, mpi.registry.tables",
        "mpi.identity.v1.record_pb2": "import google.protobuf.message, grpc",
        "mpi.rpc.server": "import grpc\nimport mpi.identity.v1.record_pb2, mpi.services.link",
        "mpi.client.client": "import grpc, google.rpc.status_pb2\nimport mpi.identity.v1.record_pb2",
        "mpi.cli.main": "import typer\nimport mpi.rpc.server, mpi.services.link, reviewer_ui.app",
        "mpi.services.accounts": "import argon2",
        "reviewer_ui.app": "import babel, fastapi, jinja2, uvicorn\nimport mpi.services.accounts, mpi.domain.model",
    }
    run = lint(tmp_path, modules)
    assert run.returncode == 0, run.stdout + run.stderr
