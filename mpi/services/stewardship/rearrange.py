"""Changing people without a task: merge, unmerge, split and move, each with a preview of what it would do.

A merge that needs a second reader becomes a task that waits for one; nobody goes round the second reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi.domain.errors import ContradictionError, InvalidInputError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, Right, Stage, TaskKind, Verdict
from mpi.persons.survivorship import GoldenRecord
from mpi.registry import entries, events, online, review_tasks, reviews
from mpi.registry.counters import Counters, allocate
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import StoredReading, StoredTask
from mpi.registry.reviews import TaskRows
from mpi.registry.unit_of_work import UnitOfWork, now_text
from mpi.services.access import require
from mpi.services.answering import WritingCall, answer_once
from mpi.services.golden_records import golden_record_of
from mpi.services.neighbourhood import OnlineRules
from mpi.services.questions import question_of, settle
from mpi.services.stewardship import applying
from mpi.services.stewardship.adjudicate import Encode, Outcome, Standing, note, outcome, second_reading
from mpi.services.stewardship.deciding import Deciding, Made, Said, checked_reason
from mpi.services.stewardship.person_sides import PersonSide, person_side
from mpi.services.task_reasons import MERGE_WANTED

Codes = NDArray[np.int8]

_URGENT = 10.0
"""Priority of a task that a steward made: before what the rules ask."""


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """Two people to become one, by enterprise ID, as the caller saw them at `seen_revision`."""

    enterprise_ids: tuple[str, str]
    reason: str
    seen_revision: int


@dataclass(frozen=True, slots=True)
class UnmergeRequest:
    """A merged person to be itself again, by the ID that it had."""

    enterprise_id: str
    reason: str
    seen_revision: int


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """Records that leave a person: for person `into`, or for a new one."""

    enterprise_id: str
    records: tuple[RecordKey, ...]
    into: str | None
    reason: str
    seen_revision: int


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do. `changed_records` are those whose enterprise ID changes, `source_systems` theirs: who has
    to be told. `contradiction` names the judgements in its way, and then the merge would be refused."""

    survivor: PersonSide
    superseded: PersonSide
    golden_after: GoldenRecord
    changed_records: tuple[RecordKey, ...]
    source_systems: tuple[str, ...]
    second_reasons: tuple[str, ...]
    contradiction: str | None
    seen_revision: int


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """What a split or a move would do: the records that leave and those that stay, by key; which ID each part has
    afterwards (None: a new one), and the entries that hang on each. `contradiction` as in MergePreview."""

    leaving: tuple[RecordKey, ...]
    staying: tuple[RecordKey, ...]
    leaving_id: str | None
    staying_id: str | None
    leaving_entries: int
    staying_entries: int
    contradiction: str | None
    seen_revision: int


def preview_merge(
    registry: Registry, rules: OnlineRules, actor: Actor, enterprise_ids: tuple[str, str]
) -> MergePreview:
    """What a merge of two people would do. Changes nothing.

    Raises MissingRightError, InvalidInputError for a mistyped ID or one person twice, UnknownPersonError,
    StaleVersionError where an ID leads to another person by now.
    """
    require(actor, Right.CHANGE_PEOPLE)
    with registry.snapshot() as uow:
        deciding = Deciding(uow, registry.secret, rules, actor, "")
        survivor, dead = sorted(deciding.number_of(each) for each in enterprise_ids)
        contradiction = None
        try:
            applying.refuse_merge(deciding, survivor, dead)
        except ContradictionError as refused:
            contradiction = refused.metadata["path"]
        sides = [person_side(deciding, person) for person in (survivor, dead)]
        name = sides[0][0].enterprise_id
        changed = sides[1][0].records
        return MergePreview(
            survivor=sides[0][0],
            superseded=sides[1][0],
            golden_after=golden_record_of(rules.model, name, [*sides[0][1], *sides[1][1]]),
            changed_records=changed,
            source_systems=tuple(sorted({key.source_system for key in changed})),
            second_reasons=second_reading(deciding, None, Verdict.SAME, [survivor, dead]),
            contradiction=contradiction,
            seen_revision=events.last_revision(uow),
        )


def merge_persons(
    registry: Registry, rules: OnlineRules, actor: Actor, call: WritingCall, request: MergeRequest, encode: Encode
) -> bytes:
    """Make two people one, or ask a second reader where one is due; once for every request id; the answer's bytes.

    Raises MissingRightError, InvalidInputError, UnknownPersonError, StaleVersionError, ContradictionError,
    RequestReusedError, RunInProgressError.
    """
    require(actor, Right.CHANGE_PEOPLE)
    reason = checked_reason(request.reason)

    def work(uow: UnitOfWork) -> bytes:
        deciding = Deciding(uow, registry.secret, rules, actor, reason)
        one, other = sorted(deciding.number_of(each) for each in request.enterprise_ids)
        applying.refuse_merge(deciding, one, other)
        deciding.refuse_stale([one, other], request.seen_revision)
        a, b, weight, codes = _strongest_pair(deciding, one, other)
        reasons = second_reading(deciding, None, Verdict.SAME, [one, other])
        if reasons:
            return encode(_ask_second(deciding, (a, b), (one, other), (weight, codes), reasons))
        made = applying.join(deciding, one, other, [Said(a, b, Verdict.SAME)])
        return encode(_finished(deciding, made))

    return answer_once(registry, call, work, quite_alone=True)


def unmerge_persons(
    registry: Registry, rules: OnlineRules, actor: Actor, call: WritingCall, request: UnmergeRequest, encode: Encode
) -> bytes:
    """Give a merged person its ID and its records back; once for every request id; the answer's bytes.

    Records that came since are placed by the rules; the two are kept apart for ever.
    Raises MissingRightError, InvalidInputError for one who is not merged, UnknownPersonError, StaleVersionError,
    UndoBlockedError naming a later decision, ContradictionError, RequestReusedError, RunInProgressError.
    """
    require(actor, Right.CHANGE_PEOPLE)
    reason = checked_reason(request.reason)

    def work(uow: UnitOfWork) -> bytes:
        deciding = Deciding(uow, registry.secret, rules, actor, reason)
        dead = deciding.merged_person(request.enterprise_id)
        deciding.refuse_stale([each for each in (dead.person_id, dead.superseded_by) if each], request.seen_revision)
        return encode(_finished(deciding, applying.unmerge(deciding, dead.person_id)))

    return answer_once(registry, call, work, quite_alone=True)


def split_person(
    registry: Registry, rules: OnlineRules, actor: Actor, call: WritingCall, request: SplitRequest, encode: Encode
) -> bytes:
    """Let records leave a person for a new one or another; once for every request id; the answer's bytes.

    The largest part keeps the ID; those who leave and those who stay are kept apart for ever.
    Raises MissingRightError, InvalidInputError where nothing or everything leaves, UnknownPersonError,
    UnknownRecordError, StaleVersionError, ContradictionError, RequestReusedError, RunInProgressError.
    """
    require(actor, Right.CHANGE_PEOPLE)
    reason = checked_reason(request.reason)

    def work(uow: UnitOfWork) -> bytes:
        deciding = Deciding(uow, registry.secret, rules, actor, reason)
        person, into = _split_people(deciding, request.enterprise_id, request.into)
        deciding.refuse_stale([person, *([] if into is None else [into])], request.seen_revision)
        leaving = [deciding.record_number(key) for key in request.records]
        return encode(_finished(deciding, applying.split(deciding, person, leaving, into)))

    return answer_once(registry, call, work, quite_alone=True)


def preview_split(
    registry: Registry,
    rules: OnlineRules,
    actor: Actor,
    enterprise_id: str,
    records: Sequence[RecordKey],
    into: str | None = None,
) -> SplitPreview:
    """What a split or a move would do. Changes nothing. Raises as `split_person`, but not for contradictions."""
    require(actor, Right.CHANGE_PEOPLE)
    with registry.snapshot() as uow:
        deciding = Deciding(uow, registry.secret, rules, actor, "")
        person, target = _split_people(deciding, enterprise_id, into)
        leaving = sorted(deciding.record_number(key) for key in records)
        contradiction = None
        try:
            applying.refuse_split(deciding, person, leaving, target)
        except ContradictionError as refused:
            contradiction = refused.metadata["path"]
        staying = [record for record in deciding.records_of(person) if record not in set(leaving)]
        parts = [deciding.keys_of(part) for part in (leaving, staying)]
        stays = target is not None or applying.smaller_part(leaving, staying) is leaving
        names = deciding.names([person] if target is None else [person, target])
        leaving_id = names[target] if target is not None else None if stays else names[person]
        hanging = [
            int(entries.count_of_records(uow, np.array(part, dtype=np.int64)).sum()) for part in (leaving, staying)
        ]
        return SplitPreview(
            leaving=parts[0],
            staying=parts[1],
            leaving_id=leaving_id,
            staying_id=names[person] if stays else None,
            leaving_entries=hanging[0],
            staying_entries=hanging[1],
            contradiction=contradiction,
            seen_revision=events.last_revision(uow),
        )


def propose_split(
    registry: Registry, rules: OnlineRules, actor: Actor, enterprise_id: str, a: RecordKey, b: RecordKey
) -> tuple[tuple[RecordKey, ...], tuple[RecordKey, ...]]:
    """A person's records as the rules would part them when two are kept apart: who goes with `a`, who with `b`.

    Raises MissingRightError, UnknownPersonError, UnknownRecordError, InvalidInputError for records of another person.
    """
    require(actor, Right.CHANGE_PEOPLE)
    with registry.snapshot() as uow:
        deciding = Deciding(uow, registry.secret, rules, actor, "")
        person = deciding.number_of(enterprise_id)
        ends = deciding.record_number(a), deciding.record_number(b)
        if not set(ends) <= set(deciding.records_of(person)) or ends[0] == ends[1]:
            raise InvalidInputError("name two records of this person", metadata={"field": "records"})
        with_a, with_b = applying.proposed_parts(deciding, person, *ends)
        return deciding.keys_of(with_a), deciding.keys_of(with_b)


def _split_people(deciding: Deciding, enterprise_id: str, into: str | None) -> tuple[int, int | None]:
    return deciding.number_of(enterprise_id), None if into is None else deciding.number_of(into)


def _finished(deciding: Deciding, made: Made) -> Outcome:
    settle(deciding, made.people)
    deciding.finish(made)
    return outcome(deciding, Standing.APPLIED, made, task_id=None)


def _strongest_pair(deciding: Deciding, one: int, other: int) -> tuple[int, int, float, Codes]:
    """Two records, one of each person, that weigh most together, with that weight (bits) and the level codes int8."""
    rules, layout = deciding.rules, deciding.rules.scorer.layout
    placed = online.members(deciding.uow, [one, other], layout=layout.digest, width=layout.width).placed
    rows = rules.without(placed.rows, rules.known_capped(deciding.uow))
    sides = [np.flatnonzero(placed.person_ids == person) for person in (one, other)]
    if not all(len(side) for side in sides):
        raise InvalidInputError("a person without records cannot be merged", metadata={"field": "enterprise_ids"})
    left, right = (np.ascontiguousarray(each.ravel(), dtype=np.int32) for each in np.meshgrid(*sides))
    prior = rules.scorer.prior(online.numbers_now(deciding.uow).records)
    scores = rules.scorer.score(rows, left, right, prior=prior)
    best = int(np.argmax(scores.weights))
    ends = placed.record_ids[[left[best], right[best]]].tolist()
    return ends[0], ends[1], float(scores.weights[best]), scores.codes[best]


def _ask_second(
    deciding: Deciding,
    records: tuple[int, int],
    people: tuple[int, int],
    evidence: tuple[float, Codes],
    reasons: tuple[str, ...],
) -> Outcome:
    """Keep the merge as a first reading of a task, which waits for somebody else."""
    uow = deciding.uow
    question = question_of(TaskKind.POSSIBLE_DUPLICATE, records[0], people)
    number = reviews.open_questions_of(uow, [question]).get(question)
    if number is None:
        number = allocate(uow, Counters(task=1)).task
        # a run writes its own questions when it ends
        online.refuse_during_run(uow)
        reviews.open_tasks(uow, _task_rows(number, question, records, people, evidence), run_id=None)
    task = review_tasks.find(uow, number)
    if task.stage is not Stage.FIRST:
        raise InvalidInputError(
            f"task {number} asks about these two already and waits for another reader",
            metadata={"field": "enterprise_ids", "task": str(number)},
        )
    deciding.task_id = number
    _read_first(uow, task, deciding)
    review_tasks.move_on(uow, task, Stage.SECOND)
    note(deciding, "review.read", task, {"stage": Stage.FIRST.value, "to": Stage.SECOND.value})
    return outcome(deciding, Standing.SECOND_READING, None, task_id=number, reasons=reasons)


def _read_first(uow: UnitOfWork, task: StoredTask, deciding: Deciding) -> None:
    said = StoredReading(
        task.task_id, 0, Stage.FIRST, deciding.actor.name, Verdict.SAME.value, deciding.reason, None, now_text()
    )
    review_tasks.add_reading(uow, said)


def _task_rows(
    number: int,
    question: str,
    records: tuple[int, int],
    people: tuple[int, int],
    evidence: tuple[float, Codes],
) -> TaskRows:
    weight, codes = evidence
    ends = [np.array([each], dtype=np.int64) for each in (*records, *people)]
    return TaskRows(
        task_ids=np.array([number], dtype=np.int64),
        kinds=[TaskKind.POSSIBLE_DUPLICATE.value],
        questions=[question],
        record_a=ends[0],
        record_b=ends[1],
        person_a=ends[2],
        person_b=ends[3],
        match_weights=np.array([weight]),
        level_codes=codes.reshape(1, -1),
        reasons=[MERGE_WANTED],
        priorities=np.array([_URGENT]),
    )
