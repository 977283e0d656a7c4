"""The table that peers are given: a city's standard values as plain texts, one row a record.

They get what our own standardise floor made of the raw files: folded names, ISO dates, cleaned numbers. Raw files would
tell how well they read Vietnamese habits, not how well they link.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PLAIN = {
    "full_name": "name_folded",
    "surname": "name_surname",
    "middle_name": "name_middle",
    "given_name": "name_given",
    "birth_date": "birth_iso",
    "sex": "sex",
    "citizen_id": "id_citizen",
    "insurance_number": "id_insurance",
    "street": "place_street",
    "mother_name": "mother_folded",
}
SETS = {"phone": "phone", "ward": "place_wards"}
COLUMNS = ("record", *PLAIN, *SETS)


def write_city_table(standard: Path, out: Path) -> Path:
    """Write the peers' table of a file of standard records; `record` numbers the rows from 0, as text."""
    table = pq.read_table(standard, columns=[*PLAIN.values(), *SETS.values()])
    columns = {"record": pa.array([str(row) for row in range(table.num_rows)])}
    for name, column in PLAIN.items():
        values = table[column]
        columns[name] = pc.if_else(pc.equal(values, ""), None, values)
    for name, column in SETS.items():
        values = table[column].combine_chunks()
        filled = pc.if_else(pc.greater(pc.list_value_length(values), 0), values, None)
        columns[name] = pa.array([members[0] if members else None for members in filled.to_pylist()], pa.string())
    pq.write_table(pa.table(columns), out)
    return out
