"""A process that links and dies on purpose: by SIGKILL around its n-th writing transaction, or with files held small.

Run by a fork server that has imported all of this, so that a death costs no second.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mpi.batch.sources import SourceReader
from mpi.domain.errors import MpiError
from mpi.registry.registry import Registry
from mpi.registry.unit_of_work import UnitOfWork
from mpi.services import placing
from tests.registries import SECRET
from tests.services.linking import link_files

ROWS_A_BATCH = 12
GROUPS_A_BATCH = 9


@contextmanager
def small_batches() -> Iterator[None]:
    """Many transactions for few rows."""
    defaults = SourceReader.__init__.__kwdefaults__
    assert defaults is not None
    groups, rows = placing.GROUPS_A_BATCH, defaults["batch_rows"]
    placing.GROUPS_A_BATCH, defaults["batch_rows"] = GROUPS_A_BATCH, ROWS_A_BATCH
    try:
        yield
    finally:
        placing.GROUPS_A_BATCH, defaults["batch_rows"] = groups, rows


class MortalRegistry(Registry):
    """A registry whose process is killed at its `last`-th writing transaction: before it commits, or right after."""

    last = 0
    after_commit = False
    written = 0

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        self.written += 1
        dying = self.written == self.last
        with super().begin() as uow:
            yield uow
            if dying and not self.after_commit:
                os.kill(os.getpid(), signal.SIGKILL)
        if dying:
            os.kill(os.getpid(), signal.SIGKILL)


def link_and_die(url: str, files: Mapping[str, Path], last: int, *, after_commit: bool) -> None:
    """Link; be killed at the `last`-th writing transaction."""
    with small_batches(), MortalRegistry.open(url, secret=SECRET, create=False) as registry:
        assert isinstance(registry, MortalRegistry)
        registry.last, registry.after_commit = last, after_commit
        link_files(registry, files)


def link_on_a_full_disk(url: str, files: Mapping[str, Path], said: Path, *, most_bytes: int) -> None:
    """Link while no file may grow beyond `most_bytes`; what the error says goes to `said`, which is there already."""
    with said.open("r+") as out, Registry.open(url, secret=SECRET, create=False) as registry:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        try:
            link_files(registry, files)
        except MpiError as error:
            out.write(f"{type(error).__name__}: {error}")
        except BaseException as error:
            out.write(f"unclean {type(error).__name__}: {error}")
            raise


def link_and_weigh(url: str, files: Mapping[str, Path], said: Path) -> None:
    """Link in batches of 4,096 rows; the most memory that this process ever held, in bytes, goes to `said`."""
    defaults = SourceReader.__init__.__kwdefaults__
    assert defaults is not None
    defaults["batch_rows"] = 4_096
    with Registry.open(url, secret=SECRET, create=False) as registry:
        link_files(registry, files)
    said.write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)))
