"""Times of capture, which sources write in forms of their own, as text that sorts by time."""

import re

from mpi.standardise.dates import parse_date

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")


def moment(recorded_at: str | None) -> str | None:
    """The time of capture as text that sorts by time (ISO 8601, as exact as it was given); None where it is none."""
    if recorded_at is None or _ISO.fullmatch(recorded_at):
        return recorded_at
    known = parse_date(recorded_at)
    if known.year is None:
        return None
    return "-".join(f"{part:02d}" for part in (known.year, known.month, known.day) if part is not None)


def is_earlier(first: str | None, second: str | None) -> bool:
    """Whether one time of capture is surely before another: of a day and an hour of that day neither is."""
    one, other = moment(first), moment(second)
    return one is not None and other is not None and one < other and not other.startswith(one)
