"""Forms that change something, as writing calls: sent twice, they do one thing and get one answer.

What a form did is kept as JSON: what kind of standing it has, which decision it became, and whom it touched.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from mpi.domain.review import Actor
from mpi.services.answering import WritingCall
from mpi.services.resolution import PersonChange
from mpi.services.stewardship.adjudicate import Outcome, Standing


@dataclass(frozen=True, slots=True)
class Told:
    """What a page tells of an outcome.

    `kind` is that of the decision, None where none was made yet; `people` are (enterprise ID, what happened, who took
    over or None); `task_id` is the task that is open afterwards.
    """

    standing: str
    kind: str | None
    decision_id: int | None
    task_id: int | None
    people: tuple[tuple[str, str, str | None], ...]
    second_reasons: tuple[str, ...]

    @property
    def is_applied(self) -> bool:
        """Whether it was carried out."""
        return self.standing == Standing.APPLIED

    def who(self, *changes: PersonChange) -> list[str]:
        """The enterprise IDs to whom one of some changes happened."""
        return [person for person, change, _ in self.people if change in changes]


def writing_call(verb: str, actor: Actor, request_id: str, *said: object) -> WritingCall:
    """The call of a form: its request id, and a digest of who says what (plain values)."""
    digest = hashlib.blake2b(json.dumps([actor.name, *said], default=str).encode(), digest_size=32).digest()
    return WritingCall(request_id, f"desk.{verb}", digest)


def encode(outcome: Outcome) -> bytes:
    """An outcome as it is kept under the request id."""
    told = Told(
        standing=outcome.standing.value,
        kind=None if outcome.kind is None else outcome.kind.value,
        decision_id=outcome.decision_id,
        task_id=outcome.task.task_id if outcome.task is not None and outcome.task.is_open else None,
        people=tuple((each.enterprise_id, each.change.value, each.superseded_by) for each in outcome.affected),
        second_reasons=tuple(map(str, outcome.second_reasons)),
    )
    return json.dumps(asdict(told)).encode()


def decode(answer: bytes) -> Told:
    """What `encode` kept."""
    kept = json.loads(answer)
    people = tuple((person, change, after) for person, change, after in kept.pop("people"))
    return Told(**{**kept, "people": people, "second_reasons": tuple(kept["second_reasons"])})
