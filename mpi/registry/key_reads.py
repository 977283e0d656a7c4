"""What only readers ask of stored blocking keys. Read only."""

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from mpi.matching.stored_keys import OPEN_BITS, blocks_of
from mpi.registry.tables import blocking_key_page
from mpi.registry.unit_of_work import UnitOfWork


def all_split(uow: UnitOfWork, keys: NDArray[np.int64]) -> bool:
    """Whether the block of every one of some keys, int64 (n,), lies in several pages, of which a look near the key sees
    one."""
    first_key = blocking_key_page.c.first_key
    for block in np.unique(blocks_of(keys)).tolist():
        low = block << OPEN_BITS[0]
        high = low | ((1 << OPEN_BITS[0]) - 1)
        if not uow.connection.scalar(sa.select(sa.exists().where(first_key > low, first_key <= high))):
            return False
    return True
