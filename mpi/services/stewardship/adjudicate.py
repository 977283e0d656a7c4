"""A reader's answer to a review task: kept as a reading, and carried out once enough readers agree. And undo.

Judgement, people, task and event are one transaction. What the reader has not seen is never decided.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mpi.domain.errors import InvalidInputError, MissingRightError, StaleVersionError, UndoBlockedError
from mpi.domain.records import RecordKey
from mpi.domain.review import Actor, DecisionKind, Right, Stage, Verdict
from mpi.persons.adjudication import QuestionFacts, is_sampled, next_stage, part_alike, second_reasons
from mpi.registry import decisions, events, review_tasks
from mpi.registry.registry import Registry
from mpi.registry.review_tasks import ESCALATE, StoredReading, StoredTask
from mpi.registry.unit_of_work import UnitOfWork, now_text
from mpi.services.access import require
from mpi.services.answering import WritingCall, answer_once
from mpi.services.neighbourhood import OnlineRules
from mpi.services.questions import reopen, settle
from mpi.services.resolution import Affected
from mpi.services.stewardship import applying, undoing
from mpi.services.stewardship.deciding import Deciding, Made, Said, checked_reason
from mpi.services.stewardship.people_facts import people_facts
from mpi.services.stewardship.review_queue import ReviewTask, refuse_reader, seen
from mpi.services.task_reasons import DECIDED, SEVERAL_FIT


class Standing(StrEnum):
    """What became of an answer: carried out; waiting for a second reader; waiting for a lead; or only noted, where the
    pair tests readers. Tell readers the same of the last as of the second."""

    APPLIED = "applied"
    SECOND_READING = "second_reading"
    ADJUDICATION = "adjudication"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """An answer to a task. Without a verdict a lead is asked to decide. `expected_version` and `seen_revision` are
    those of the task as the reader saw it; `seconds` is how long they looked.

    `records` are those that leave where one person is found to be two; none: those that the rules propose, and the
    reader was shown.
    """

    task_id: int
    verdict: Verdict | None
    comment: str
    expected_version: int
    seen_revision: int
    seconds: float | None = None
    records: tuple[RecordKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer or a change did. `task` is the task afterwards (the new one that an undo opened); `second_reasons`
    say why somebody else must read it; `revision` is the registry's newest."""

    standing: Standing
    kind: DecisionKind | None
    decision_id: int | None
    task: ReviewTask | None
    affected: tuple[Affected, ...]
    second_reasons: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class LastAct:
    """What an undo would take back: a decision, or a reading of a task that is still open."""

    task_id: int | None
    decision_id: int | None
    kind: str
    made_at: str


Encode = Callable[[Outcome], bytes]


def decide(
    registry: Registry, rules: OnlineRules, actor: Actor, call: WritingCall, request: DecisionRequest, encode: Encode
) -> bytes:
    """Answer a task, once for every request id; gives the answer's bytes.

    Raises MissingRightError, UnknownTaskError, TaskClosedError, TaskClaimedError, OwnReadingError, StaleVersionError,
    ContradictionError, InvalidInputError, RequestReusedError, RunInProgressError while a bulk run is at work.
    """
    require(actor, Right.REVIEW)
    comment = checked_reason(request.comment)

    def work(uow: UnitOfWork) -> bytes:
        deciding = Deciding(uow, registry.secret, rules, actor, comment, request.task_id)
        return encode(_Answer(deciding, request).give())

    return answer_once(registry, call, work, quite_alone=True)


class _Answer:
    """One answer to one task, in one transaction."""

    def __init__(self, deciding: Deciding, request: DecisionRequest) -> None:
        self._deciding = deciding
        self._uow = deciding.uow
        self._request = request
        self._task = review_tasks.find(deciding.uow, request.task_id)
        self._earlier = review_tasks.readings(deciding.uow, request.task_id)
        refuse_reader(deciding.uow, deciding.actor, self._task)
        if self._task.version != request.expected_version:
            raise StaleVersionError(
                f"task {request.task_id} has changed since: it waits for {self._task.stage}",
                metadata={"changed": "task", "version": str(self._task.version)},
            )
        self._leaving: tuple[int, ...] = ()

    def give(self) -> Outcome:
        """Keep the reading, and carry the answer out where it holds."""
        task, verdict = self._task, self._request.verdict
        if task.gold_verdict is not None:
            self._read()
            review_tasks.release(self._uow, task.task_id)
            return self._outcome(Standing.NOTED)
        owners = self._deciding.owners(task.records)
        self._deciding.refuse_stale(owners.values(), self._request.seen_revision)
        self._leaving = self._who_leaves(verdict, owners)
        self._read()
        if verdict is None:
            return self._pass_on(Stage.ADJUDICATION, ())
        # what cannot be carried out is refused at once, not when the second reader agrees
        reasons = () if task.stage is not Stage.FIRST else self._second_reasons(verdict, owners)
        said = [Verdict(each.verdict) for each in self._earlier if each.verdict != ESCALATE]
        alike = self._part_alike(owners)
        stage = next_stage(task.stage, said, verdict, second_needed=bool(reasons), same_parts=alike)
        if stage is not None:
            self._check(verdict, owners)
            return self._pass_on(stage, reasons)
        return self._carry_out(verdict, owners)

    def _read(self) -> None:
        verdict = self._request.verdict
        review_tasks.add_reading(
            self._uow,
            StoredReading(
                task_id=self._task.task_id,
                place=0,
                stage=self._task.stage,
                reader=self._deciding.actor.name,
                verdict=ESCALATE if verdict is None else verdict.value,
                comment=self._deciding.reason,
                seconds=self._request.seconds,
                read_at=now_text(),
                leaving=self._leaving,
            ),
        )

    def _who_leaves(self, verdict: Verdict | None, owners: dict[int, int]) -> tuple[int, ...]:
        """The records that this answer lets leave one person: those named, else those that the rules set with the first
        one. Nothing for other answers."""
        a, b = self._task.record_a, self._task.record_b
        if verdict not in (None, Verdict.DIFFERENT) or b is None or a not in owners or owners[a] != owners.get(b):
            return ()
        named = tuple(sorted({self._deciding.record_number(key) for key in self._request.records}))
        if named or verdict is None:
            return named
        return tuple(sorted(applying.proposed_parts(self._deciding, owners[a], a, b)[0]))

    def _part_alike(self, owners: dict[int, int]) -> bool:
        """Whether this reader and those before would part one person alike."""
        if not self._leaving:
            return True
        members = self._deciding.records_of(owners[self._task.record_a])
        return part_alike(members, [self._leaving, *(each.leaving for each in self._earlier)])

    def _second_reasons(self, verdict: Verdict, owners: dict[int, int]) -> tuple[str, ...]:
        return second_reading(self._deciding, self._task, verdict, sorted(set(owners.values())))

    def _check(self, verdict: Verdict, owners: dict[int, int]) -> None:
        """Raises ContradictionError where the answer could not be carried out."""
        a, b = self._task.record_a, self._task.record_b
        if b is None:
            return
        if verdict is Verdict.SAME and owners[a] != owners[b]:
            applying.refuse_merge(self._deciding, owners[a], owners[b])
        elif verdict is Verdict.DIFFERENT:
            applying.refuse_apart(self._deciding, a, b)
            if self._leaving:
                applying.refuse_split(self._deciding, owners[a], self._leaving, None)

    def _pass_on(self, stage: Stage, reasons: tuple[str, ...]) -> Outcome:
        review_tasks.move_on(self._uow, self._task, stage)
        note(self._deciding, "review.read", self._task, {"stage": self._task.stage.value, "to": stage.value})
        standing = Standing.SECOND_READING if stage is Stage.SECOND else Standing.ADJUDICATION
        return self._outcome(standing, reasons=reasons)

    def _carry_out(self, verdict: Verdict, owners: dict[int, int]) -> Outcome:
        """Do what the verdict says, close the task, and bring other questions about these people up to date."""
        made = self._made(verdict, owners)
        review_tasks.close(self._uow, self._task, reason=DECIDED[verdict], decision_id=made.decision_id)
        settle(self._deciding, made.people)
        self._deciding.finish(made)
        return self._outcome(Standing.APPLIED, made)

    def _made(self, verdict: Verdict, owners: dict[int, int]) -> Made:
        a, b = self._task.record_a, self._task.record_b
        if b is None or a not in owners or b not in owners:
            raise StaleVersionError("a record asked about was withdrawn", metadata={"changed": "withdrawn"})
        one, other = owners[a], owners[b]
        if verdict is Verdict.UNSURE or (verdict is Verdict.SAME and one == other):
            return applying.judge(self._deciding, a, b, verdict, {one, other})
        if verdict is Verdict.SAME:
            return applying.merge(self._deciding, one, other, [Said(a, b, verdict)])
        if one != other:
            return applying.keep_apart(self._deciding, a, b, {one, other})
        return applying.split(self._deciding, one, self._leaving)

    def _outcome(self, standing: Standing, made: Made | None = None, *, reasons: tuple[str, ...] = ()) -> Outcome:
        return outcome(self._deciding, standing, made, task_id=self._task.task_id, reasons=reasons)


def second_reading(deciding: Deciding, task: StoredTask | None, verdict: Verdict, people: list[int]) -> tuple[str, ...]:
    """Why somebody else must read an answer about some people, in the words of SecondReason; nothing where nobody
    must. A change that no task asked for is in no sample."""
    model = deciding.rules.model
    facts = people_facts(deciding.uow, model, people)
    question = QuestionFacts(
        people=[facts[person] for person in people],
        match_weight=None if task is None else task.match_weight,
        several_fit=task is not None and task.reason == SEVERAL_FIT,
        sampled=task is not None and is_sampled(task.task_id, deciding.secret),
    )
    return tuple(each.value for each in second_reasons(verdict, question, model.thresholds))


def note(deciding: Deciding, kind: str, task: StoredTask, more: dict[str, str]) -> None:
    """An event that changes nobody: what a reader did with a task."""
    payload = {"task": task.task_id, "records": task.records, "steward": deciding.actor.name, **more}
    events.append_one(deciding.uow, kind, None, payload, made_by="steward")


def outcome(
    deciding: Deciding,
    standing: Standing,
    made: Made | None,
    *,
    task_id: int | None,
    reasons: tuple[str, ...] = (),
) -> Outcome:
    """What callers are told; read in the transaction that did it."""
    task = None
    if task_id is not None:
        task = seen(deciding.uow, deciding.secret, [review_tasks.find(deciding.uow, task_id)])[0]
    return Outcome(
        standing=standing,
        kind=None if made is None else made.kind,
        decision_id=None if made is None else made.decision_id,
        task=task,
        affected=() if made is None else made.affected,
        second_reasons=reasons,
        revision=events.last_revision(deciding.uow),
    )


def undo(
    registry: Registry,
    rules: OnlineRules,
    actor: Actor,
    call: WritingCall,
    *,
    decision_id: int | None = None,
    task_id: int | None = None,
    reason: str = "",
    encode: Encode,
) -> bytes:
    """Take back a decision, or one's own reading of a task that is still open, once for every request id.

    One's own, or anybody's decision for a lead. The question is asked again.
    Raises MissingRightError, UnknownDecisionError, UnknownTaskError, UndoBlockedError naming what rests on it,
    InvalidInputError where not just one is named, RequestReusedError, RunInProgressError.
    """
    require(actor, Right.REVIEW)
    if (decision_id is None) == (task_id is None):
        raise InvalidInputError("name a decision or a task", metadata={"field": "decision_id"})
    words = checked_reason(reason)

    def work(uow: UnitOfWork) -> bytes:
        deciding = Deciding(uow, registry.secret, rules, actor, words)
        if decision_id is not None:
            return encode(_undo_decision(deciding, decision_id))
        assert task_id is not None
        return encode(_undo_reading(deciding, task_id))

    return answer_once(registry, call, work, quite_alone=True)


def _undo_decision(deciding: Deciding, decision_id: int) -> Outcome:
    asked = decisions.find(deciding.uow, decision_id).task_id
    deciding.task_id = asked
    made = undoing.undo(deciding, decision_id)
    settle(deciding, made.people)
    again = None
    if asked is not None:
        # what somebody takes back they have not said, as far as agreement is counted
        mine = [each.place for each in review_tasks.readings(deciding.uow, asked) if each.reader == deciding.actor.name]
        review_tasks.withdraw_readings(deciding.uow, asked, mine)
        again = reopen(deciding, review_tasks.find(deciding.uow, asked))
    deciding.finish(made)
    return outcome(deciding, Standing.APPLIED, made, task_id=again)


def _undo_reading(deciding: Deciding, task_id: int) -> Outcome:
    """Take the newest reading of an open task back; the task is where it was before."""
    task = review_tasks.find(deciding.uow, task_id)
    said = review_tasks.readings(deciding.uow, task_id)
    if not task.is_open:
        raise UndoBlockedError(
            f"task {task_id} is closed: {task.closed_reason}", metadata={"decision": str(task.decision_id or "")}
        )
    if task.gold_verdict is not None:
        said = [each for each in said if each.reader == deciding.actor.name]
    if not any(each.reader == deciding.actor.name for each in said):
        raise MissingRightError(f"task {task_id} was not read by you", metadata={"right": Right.ADJUDICATE.value})
    last = said[-1]
    if last.reader != deciding.actor.name:
        raise UndoBlockedError(
            f"task {task_id} was read by somebody else since", metadata={"decision": "", "task": str(task_id)}
        )
    review_tasks.withdraw_readings(deciding.uow, task_id, [last.place])
    if task.gold_verdict is None:
        review_tasks.move_on(deciding.uow, task, last.stage)
        note(deciding, "review.reading_withdrawn", task, {"stage": last.stage.value})
    return outcome(deciding, Standing.NOTED, None, task_id=task_id)


def last_act(registry: Registry, actor: Actor) -> LastAct | None:
    """What an undo would take back: the actor's newest reading or decision that stands; None where there is none."""
    with registry.snapshot() as uow:
        said, made = review_tasks.last_reading(uow, actor.name), decisions.last_of(uow, actor.name)
    if said is not None and (made is None or said.read_at > made.made_at):
        return LastAct(said.task_id, None, said.verdict, said.read_at)
    return None if made is None else LastAct(made.task_id, made.decision_id, made.kind.value, made.made_at)
