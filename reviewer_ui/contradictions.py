"""What stands in the way of a decision, read back from the one line that errors and previews hold it in.

The line is made by services/stewardship/deciding.py; what is not written in its way is shown as it is, never dropped.
"""

import re
from dataclasses import dataclass

_SAID = re.compile(
    r"(?P<verdict>same|different), judgement (?P<judgement>\d+) by (?P<steward>.+) on (?P<day>\d{4}-\d\d-\d\d),"
    r" as (?P<record>.+)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way from one record to another.

    `kind` is start, same, different or plain, where `record` is the text as it stands. `judgement`, `steward` and `day`
    (ISO 8601) say by which judgement, None for other steps.
    """

    kind: str
    record: str
    judgement: int | None = None
    steward: str | None = None
    day: str | None = None


def path_steps(path: str) -> list[Step]:
    """The steps of a path of records and judgements; nothing for an empty one."""
    first, *rest = path.split("; ") if path else [""]
    return [Step("start", first), *map(_step, rest)] if first else []


def _step(text: str) -> Step:
    said = _SAID.fullmatch(text)
    if said is not None:
        return Step(said["verdict"], said["record"], int(said["judgement"]), said["steward"], said["day"])
    return Step("plain", text)
