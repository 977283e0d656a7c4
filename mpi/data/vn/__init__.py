"""Reader of the Vietnamese reference tables in this folder; NOTICE.md says where each comes from.

A table is read once and kept; its rows are plain dictionaries that nobody may change.
"""

import csv
from functools import cache
from importlib import resources


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """All rows of the table `name` (its file name without `.csv`), by column name; every value is a string.

    Raises FileNotFoundError for a table that does not ship.
    """
    text = resources.files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8-sig")
    return tuple(csv.DictReader(text.splitlines()))
