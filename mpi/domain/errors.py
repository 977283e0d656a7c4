"""One tree of errors. Each has a reason (a stable word) and metadata; no status codes live here.

Shells map `reason` to an exit code, a gRPC status or an HTTP status by one table of their own.
"""

from collections.abc import Mapping


class MpiError(Exception):
    """Base of every error a caller can be told about.

    `reason` is stable and upper-case; `metadata` holds plain strings for machines; the message is one line for people.
    """

    reason = "MPI_ERROR"

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(" ".join(message.split()))
        self.metadata: dict[str, str] = dict(metadata or {})


class InvalidInputError(MpiError):
    """The caller gave something that cannot be used: a wrong option, a missing column, a malformed value."""

    reason = "INVALID_INPUT"


class SourceUnreadableError(InvalidInputError):
    """A source file or folder cannot be read at all."""

    reason = "SOURCE_UNREADABLE"


class RuleFileError(InvalidInputError):
    """A rule file is refused. The message names file, line, field and what would be right."""

    reason = "RULE_FILE_INVALID"


class UntrainedLevelError(RuleFileError):
    """Levels have no trained m or u probability; the message names each."""

    reason = "RULE_LEVEL_UNTRAINED"


class RegistryError(MpiError):
    """The registry cannot serve: unreachable, wrong schema version, locked by another run."""

    reason = "REGISTRY_UNAVAILABLE"


class RegistrySecretError(RegistryError):
    """The secret given is not the one that the registry's keys were made with."""

    reason = "REGISTRY_SECRET_MISMATCH"


class RunConflictError(RegistryError):
    """Another run holds the registry, or an unfinished run asks for other work than this one."""

    reason = "RUN_CONFLICT"


class WorkerLostError(MpiError):
    """A worker process was killed, most often for want of memory. What was committed stays; the same command goes
    on."""

    reason = "WORKER_LOST"


class NotFoundError(MpiError):
    """A record, person, rule family or version does not exist."""

    reason = "NOT_FOUND"


class UnknownRecordError(NotFoundError):
    """The source system is known, this record of it is not."""

    reason = "UNKNOWN_RECORD"


class UnknownPersonError(NotFoundError):
    """Nobody has this enterprise ID."""

    reason = "UNKNOWN_PERSON"


class UnknownIdentifierError(NotFoundError):
    """No record in force bears this number. The number itself is never repeated."""

    reason = "UNKNOWN_IDENTIFIER"


class UnknownSourceSystemError(NotFoundError):
    """No record ever came from a source system of this name."""

    reason = "UNKNOWN_SOURCE_SYSTEM"


class RequestReusedError(MpiError):
    """A request id was used before, for another request."""

    reason = "REQUEST_ID_REUSED"


class RecordWithdrawnError(MpiError):
    """The record was withdrawn by its source and takes no new version."""

    reason = "RECORD_WITHDRAWN"


class RunInProgressError(RegistryError):
    """A bulk run is writing people; single records wait until it has ended."""

    reason = "BULK_RUN_IN_PROGRESS"


class NotYetVisibleError(RegistryError):
    """The registry that answers has not reached the revision that the caller has seen."""

    reason = "NOT_YET_VISIBLE"


class RevisionNotReachedError(InvalidInputError):
    """A revision or a time that lies in the future was asked for."""

    reason = "REVISION_NOT_REACHED"


class PersonNotYetCreatedError(InvalidInputError):
    """The person did not exist yet at the revision or time asked for."""

    reason = "PERSON_NOT_YET_CREATED"


class WatcherTooSlowError(MpiError):
    """A watcher read more slowly than changes came. `revision` in its metadata is the last one that it was given."""

    reason = "WATCHER_TOO_SLOW"


class RulesNotReadyError(RegistryError):
    """The registry's blocking keys were made by other rules, or not at all."""

    reason = "RULES_NOT_READY"


class OverloadedError(MpiError):
    """More calls wait than the service takes in; nothing of this one was done."""

    reason = "OVERLOADED"


class MissingRightError(MpiError):
    """The caller's role may not do this. `right` in its metadata names what is missing."""

    reason = "MISSING_RIGHT"


class NotSignedInError(MpiError):
    """Nobody is signed in, or the session has ended."""

    reason = "NOT_SIGNED_IN"


class SignInRefusedError(MpiError):
    """The name or the password is wrong, or the account is closed; which of them is not said."""

    reason = "SIGN_IN_REFUSED"


class TooManyAttemptsError(MpiError):
    """Too many attempts in a short time. `seconds` in its metadata is how long to wait."""

    reason = "TOO_MANY_ATTEMPTS"


class UnknownAccountError(NotFoundError):
    """There is no account of this name."""

    reason = "UNKNOWN_ACCOUNT"


class UnknownTaskError(NotFoundError):
    """There is no review task of this number."""

    reason = "UNKNOWN_REVIEW_TASK"


class UnknownDecisionError(NotFoundError):
    """There is no decision of this number."""

    reason = "UNKNOWN_DECISION"


class TaskClosedError(MpiError):
    """The task is closed. `closed_reason` in its metadata says why."""

    reason = "REVIEW_TASK_CLOSED"


class TaskClaimedError(MpiError):
    """Somebody else is at the task. `claimed_by` and `claimed_until` are in its metadata."""

    reason = "REVIEW_TASK_CLAIMED"


class OwnReadingError(MpiError):
    """A second reading or an adjudication by somebody who has read the task before."""

    reason = "OWN_SECOND_READING"


class StaleVersionError(MpiError):
    """What the caller looked at has changed since. Its metadata say what: `changed` in words, and `revision`."""

    reason = "STALE_VERSION"


class ContradictionError(MpiError):
    """Earlier judgements say otherwise; the message names the path of records and judgements in the way.

    `path` in its metadata is that path; `judgement` the number of the judgement that stands against it.
    """

    reason = "JUDGEMENT_CONTRADICTED"


class UndoBlockedError(MpiError):
    """A later decision rests on this one. `decision` in its metadata names it: undo that one first."""

    reason = "UNDO_BLOCKED"
