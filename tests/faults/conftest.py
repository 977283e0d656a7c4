"""One fork server for all faults: it has loaded what its children need, so that a death costs no second."""

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.faults.seasons import Files, write_seasons


@pytest.fixture(scope="session")
def forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victim", "tests.faults.resolving", "tests.faults.warmed"])
    return context


@pytest.fixture
def seasons(tmp_path: Path) -> tuple[Files, Files]:
    return write_seasons(tmp_path)
