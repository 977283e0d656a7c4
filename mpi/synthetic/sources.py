"""From people and visits to a source's records: one Arrow table a chunk, with the person each record is truly about."""

import numpy as np
import pyarrow as pa

from mpi.domain.records import CANONICAL_COLUMNS
from mpi.synthetic import number_columns, person_columns
from mpi.synthetic.errors import Desk
from mpi.synthetic.habits import SourceHabits
from mpi.synthetic.people import People, World
from mpi.synthetic.sheet import Sheet, Tables, name_styles
from mpi.synthetic.visits import Visits

PERSON = "person"
"""Column with the number of the person; it never reaches a source's file."""

RECORD_SCHEMA = pa.schema([*((name, pa.string()) for name in CANONICAL_COLUMNS[1:]), (PERSON, pa.int64())])
"""The canonical columns without the local id, and the person."""


def type_records(
    rng: np.random.Generator,
    source: str,
    habits: SourceHabits,
    *,
    people: People,
    visits: Visits,
    world: World,
    tables: Tables,
) -> pa.Table:
    """Records of one chunk as the source's clerks type them; columns of RECORD_SCHEMA."""
    desk = Desk(rng, habits, visits.site_care)
    age = (visits.day - people.birth[visits.row]) / 365.25
    sheet = Sheet(source, people, visits, desk, world, tables, age, name_styles(desk, visits))
    ward, address = person_columns.ward_and_address(sheet)
    return pa.Table.from_arrays(
        [
            person_columns.full_name(sheet),
            person_columns.birth_date(sheet),
            person_columns.sex(sheet),
            number_columns.citizen_id(sheet),
            number_columns.health_insurance_number(sheet),
            number_columns.phone(sheet),
            ward,
            address,
            person_columns.mother_name(sheet),
            person_columns.recorded_at(sheet),
            pa.array(people.person[visits.row]),
        ],
        schema=RECORD_SCHEMA,
    )
