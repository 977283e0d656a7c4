"""One fork server for clients in processes of their own: it has loaded what they need."""

import multiprocessing
from multiprocessing.context import ForkServerContext

import pytest


@pytest.fixture(scope="session")
def forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victim", "tests.online.crowds", "tests.faults.warmed"])
    return context
