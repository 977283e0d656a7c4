"""Matches and resolutions between messages and plain values. No service is called and nothing is decided here."""

from collections.abc import Iterable
from typing import Any

from mpi.domain.model import LinkageModel
from mpi.domain.model import Thresholds as ModelThresholds
from mpi.domain.records import CANONICAL_COLUMNS, RECORD_COLUMNS, RecordKey, SourceRecord
from mpi.domain.review import TaskKind
from mpi.identity.v1 import identity_service_pb2 as service_pb2
from mpi.identity.v1 import match_pb2, person_pb2, record_pb2
from mpi.matching.explain import Explanation
from mpi.rpc.tokens import Tokens
from mpi.rpc.validation import InvalidFieldError
from mpi.services.resolution import (
    Affected,
    Blocking,
    Grade,
    MatchOutcome,
    MatchResult,
    OpenedTask,
    PersonChange,
    RecordChange,
    Resolution,
    ResolveOutcome,
)

_TEXTS = tuple(column for column in CANONICAL_COLUMNS if column not in RECORD_COLUMNS)

GRADES = {
    Grade.CERTAIN: match_pb2.MATCH_GRADE_CERTAIN,
    Grade.PROBABLE: match_pb2.MATCH_GRADE_PROBABLE,
    Grade.POSSIBLE: match_pb2.MATCH_GRADE_POSSIBLE,
    Grade.CERTAINLY_NOT: match_pb2.MATCH_GRADE_CERTAINLY_NOT,
}
MATCH_OUTCOMES = {
    MatchOutcome.NO_MATCH: service_pb2.MATCH_OUTCOME_NO_MATCH,
    MatchOutcome.MATCH: service_pb2.MATCH_OUTCOME_MATCH,
    MatchOutcome.POSSIBLE_MATCHES: service_pb2.MATCH_OUTCOME_POSSIBLE_MATCHES,
    MatchOutcome.SEVERAL_FIT: service_pb2.MATCH_OUTCOME_SEVERAL_FIT,
}
RESOLVE_OUTCOMES = {
    ResolveOutcome.LINKED: service_pb2.RESOLVE_OUTCOME_LINKED,
    ResolveOutcome.NEW_PERSON: service_pb2.RESOLVE_OUTCOME_NEW_PERSON,
    ResolveOutcome.PROVISIONAL: service_pb2.RESOLVE_OUTCOME_PROVISIONAL,
}
RECORD_CHANGES = {
    RecordChange.NEW: record_pb2.RECORD_CHANGE_NEW,
    RecordChange.NEW_VERSION: record_pb2.RECORD_CHANGE_NEW_VERSION,
    RecordChange.LATE_VERSION: record_pb2.RECORD_CHANGE_LATE_VERSION,
    RecordChange.UNCHANGED: record_pb2.RECORD_CHANGE_UNCHANGED,
}
PERSON_CHANGES = {
    PersonChange.CREATED: person_pb2.PERSON_CHANGE_KIND_CREATED,
    PersonChange.LINKED: person_pb2.PERSON_CHANGE_KIND_LINKED,
    PersonChange.UPDATED: person_pb2.PERSON_CHANGE_KIND_GOLDEN_RECORD_CHANGED,
    PersonChange.MERGED: person_pb2.PERSON_CHANGE_KIND_MERGED,
    PersonChange.SUPERSEDED: person_pb2.PERSON_CHANGE_KIND_SUPERSEDED,
    PersonChange.SPLIT: person_pb2.PERSON_CHANGE_KIND_SPLIT,
    PersonChange.UNMERGED: person_pb2.PERSON_CHANGE_KIND_UNMERGED,
    PersonChange.RESTORED: person_pb2.PERSON_CHANGE_KIND_RESTORED,
    PersonChange.WITHDRAWN: person_pb2.PERSON_CHANGE_KIND_RECORD_WITHDRAWN,
}
TASK_KINDS = {
    TaskKind.POSSIBLE_MATCH: person_pb2.REVIEW_TASK_KIND_POSSIBLE_MATCH,
    TaskKind.POSSIBLE_DUPLICATE: person_pb2.REVIEW_TASK_KIND_POSSIBLE_DUPLICATE,
    TaskKind.STOPPED_BY_VETO: person_pb2.REVIEW_TASK_KIND_STOPPED_BY_VETO,
    TaskKind.OVERLAY: person_pb2.REVIEW_TASK_KIND_OVERLAY,
    TaskKind.SUSPECTED_WRONG_MERGE: person_pb2.REVIEW_TASK_KIND_SUSPECTED_WRONG_MERGE,
}


class RecordReader:
    """Source records out of messages, for the raw columns that one rule family knows."""

    def __init__(self, model: LinkageModel) -> None:
        inputs = {column for rule in model.fields for column in rule.inputs.values()}
        self._known = frozenset(inputs | {rule.field for rule in model.survivorship}) - set(_TEXTS)

    def __call__(self, message: record_pb2.SourceRecord) -> SourceRecord:
        """The record as its source sent it; empty values are missing ones.

        Raises InvalidFieldError for an additional value of a column that the rules do not know.
        """
        values = {name: value for name in _TEXTS if (value := getattr(message, name))}
        if message.additional_values:
            values.update(self._additional(message.additional_values))
        key = message.key
        return SourceRecord(RecordKey(key.source_system, key.source_record_id), values, message.recorded_at or None)

    def _additional(self, given: Any) -> dict[str, str]:
        for name in given:
            if name not in self._known:
                path = f"record.additional_values[{name}]"
                raise InvalidFieldError(
                    f"{path} is no column of the active rules"
                    if name not in (*_TEXTS, *RECORD_COLUMNS)
                    else f"{path} has a field of its own",
                    metadata={"field": path},
                )
        return {name: value for name, value in given.items() if value}


def record_key(message: record_pb2.RecordKey) -> RecordKey:
    """A key out of a message."""
    return RecordKey(message.source_system, message.source_record_id)


def put_key(message: record_pb2.RecordKey, key: RecordKey) -> None:
    """Writes a key into a message."""
    message.source_system = key.source_system
    message.source_record_id = key.source_record_id


def put_keys(messages: Any, keys: Iterable[RecordKey]) -> None:
    """Writes keys into a repeated field."""
    for key in keys:
        messages.add(source_system=key.source_system, source_record_id=key.source_record_id)


def put_thresholds(message: match_pb2.Thresholds, thresholds: ModelThresholds) -> None:
    """Writes thresholds into a message."""
    message.link, message.review, message.margin = thresholds.link, thresholds.review, thresholds.margin


def put_explanation(message: match_pb2.Explanation, explanation: Explanation) -> None:
    """Writes a waterfall into a message."""
    message.prior = explanation.prior
    for step in explanation.contributions:
        message.contributions.add(
            comparison=step.comparison,
            level=step.level,
            weight=step.bits,
            term_frequency_adjustment=step.of_which_frequency,
            running_total=step.running_total,
        )
    message.match_weight = explanation.weight
    message.match_probability = explanation.probability


def _put_blocking(message: match_pb2.BlockingReport, blocking: Blocking) -> None:
    message.candidate_records = blocking.records
    if blocking.bounded_rules:
        message.bounded_rules.extend(blocking.bounded_rules)


def match_response(found: MatchResult, tokens: Tokens) -> service_pb2.MatchResponse:
    """What `Match` answers."""
    response = service_pb2.MatchResponse(
        outcome=MATCH_OUTCOMES[found.outcome],
        rule_version=found.rule_version,
        consistency_token=tokens.consistency(found.revision),
    )
    _put_blocking(response.blocking, found.blocking)
    put_thresholds(response.thresholds, found.thresholds)
    for each in found.candidates:
        candidate = response.candidates.add(
            enterprise_id=each.enterprise_id,
            match_weight=each.match_weight,
            match_probability=each.probability,
            grade=GRADES[each.grade],
            vetoes=each.vetoes,
        )
        put_keys(candidate.cross_references, each.cross_references)
        put_key(candidate.best_record, each.best_record)
        if each.explanation is not None:
            put_explanation(candidate.explanation, each.explanation)
    return response


def resolve_response(done: Resolution, tokens: Tokens) -> service_pb2.ResolveResponse:
    """What `Resolve` answers. A decision is named by its last revision; where nothing changed there is none."""
    decided = bool(done.affected)
    response = service_pb2.ResolveResponse(
        enterprise_id=done.enterprise_id,
        outcome=RESOLVE_OUTCOMES[done.outcome],
        record_change=RECORD_CHANGES[done.change],
        match_weight=done.match_weight,
        revision=done.revision,
        decision_id=str(done.revision) if decided else "",
        rule_version=done.rule_version,
        consistency_token=tokens.consistency(done.revision),
    )
    if done.linked_through is not None:
        put_key(response.linked_through, done.linked_through)
    for task in done.review_tasks:
        _put_task(response.review_tasks.add(), task)
    put_affected(response.affected_persons, done.affected)
    put_thresholds(response.thresholds, done.thresholds)
    _put_blocking(response.blocking, done.blocking)
    return response


def _put_task(message: person_pb2.ReviewTaskReference, task: OpenedTask) -> None:
    message.task_id = str(task.task_id)
    message.kind = TASK_KINDS[TaskKind(task.kind)]
    message.reason = task.reason
    message.other_enterprise_id = task.enterprise_id
    if task.match_weight is not None:
        message.match_weight = task.match_weight


def put_affected(messages: Any, affected: Iterable[Affected]) -> None:
    """Writes the people whom a decision touched, each once, in the order in which they are first named."""
    written: dict[str, Any] = {}
    for each in affected:
        message = written.get(each.enterprise_id)
        if message is None:
            message = written[each.enterprise_id] = messages.add(enterprise_id=each.enterprise_id)
        change = PERSON_CHANGES[each.change]
        if change not in message.changes:
            message.changes.append(change)
        if each.superseded_by:
            message.superseded_by = each.superseded_by
