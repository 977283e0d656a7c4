"""Type records of made-up people with chosen habits only: every rate 0 but those a test names."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from mpi.synthetic.habits import DEFAULT, Moods, SourceHabits
from mpi.synthetic.people import People, World
from mpi.synthetic.sheet import Tables
from mpi.synthetic.sources import type_records
from mpi.synthetic.visits import Visits, draw_visits

PLAIN = Moods(careful=0.0, sloppy=0.0, factors=(1.0, 1.0, 1.0), site_spread=0.0)


def only(source: str, rates: Mapping[str, float]) -> SourceHabits:
    """The source's habits with every slip and share at 0 except the named ones."""
    base = DEFAULT[source]
    known = base.slips.keys() | base.shares.keys()
    assert rates.keys() <= known, rates.keys() - known
    return replace(
        base,
        moods=PLAIN,
        slips={name: rates.get(name, 0.0) for name in base.slips},
        shares={name: rates.get(name, 0.0) for name in base.shares},
    )


def typed(world: World, tables: Tables, people: People, source: str, habits: SourceHabits) -> tuple[pa.Table, Visits]:
    """Records and visits of the people at one source; the same visits whatever the rates."""
    visits = draw_visits(np.random.default_rng(1), {**DEFAULT, source: habits}, people)[source]
    records = type_records(
        np.random.default_rng(2), source, habits, people=people, visits=visits, world=world, tables=tables
    )
    return records, visits
