"""Words of tasks, answers and decisions, a table a kind: what is asked and why, what was said, what became of it."""

from collections.abc import Mapping

from markupsafe import Markup

from mpi.domain.review import DecisionKind, RevealReason, Stage, TaskKind, Verdict
from mpi.persons.adjudication import SecondReason
from mpi.services.resolution import PersonChange
from mpi.services.stewardship.adjudicate import Standing
from mpi.services.task_reasons import SPEAKING_AGAINST
from reviewer_ui.languages import Words, message

KIND_WORDS: Mapping[TaskKind, str] = {
    TaskKind.POSSIBLE_MATCH: message("Possible match"),
    TaskKind.POSSIBLE_DUPLICATE: message("Possible duplicate"),
    TaskKind.STOPPED_BY_VETO: message("Stopped by a rule"),
    TaskKind.OVERLAY: message("Record changed its person"),
    TaskKind.SUSPECTED_WRONG_MERGE: message("Suspected wrong merge"),
}

KIND_MEANINGS: Mapping[TaskKind, str] = {
    TaskKind.POSSIBLE_MATCH: message("A record may belong to another person."),
    TaskKind.POSSIBLE_DUPLICATE: message("Two people may be one."),
    TaskKind.STOPPED_BY_VETO: message("Two people weigh as one, but a rule speaks against it."),
    TaskKind.OVERLAY: message("An update changed whom a record is about."),
    TaskKind.SUSPECTED_WRONG_MERGE: message("The records of one person may be of two."),
}

STAGE_WORDS: Mapping[Stage, str] = {
    Stage.FIRST: message("First reading"),
    Stage.SECOND: message("Second reading"),
    Stage.ADJUDICATION: message("Adjudication"),
}

READINGS_WORDS: Mapping[Stage, str] = {
    Stage.FIRST: message("First readings"),
    Stage.SECOND: message("Second readings"),
    Stage.ADJUDICATION: message("Adjudications"),
}
"""What many readings of a stage are called."""

REVEAL_WORDS: Mapping[RevealReason, str] = {
    RevealReason.COMPARE: message("to compare records"),
    RevealReason.CONTACT: message("to contact somebody"),
    RevealReason.COMPLAINT: message("a complaint"),
    RevealReason.AUDIT: message("an audit"),
}

MADE_BY_WORDS: Mapping[str, str] = {
    "rules": message("the rules"),
    "steward": message("a steward"),
    "source": message("its source"),
}

VERDICT_WORDS: Mapping[str, str] = {
    Verdict.SAME: message("the same person"),
    Verdict.DIFFERENT: message("different people"),
    Verdict.UNSURE: message("unsure"),
}

SAID_WORDS: Mapping[str, str] = {**VERDICT_WORDS, "escalate": message("passed to a team lead")}
"""What a reader can say."""

DECISION_WORDS: Mapping[str, str] = {
    DecisionKind.JUDGE: message("judgement"),
    DecisionKind.MERGE: message("merging of people"),
    DecisionKind.UNMERGE: message("unmerging"),
    DecisionKind.SPLIT: message("splitting of records"),
    DecisionKind.MOVE: message("moving of records"),
    DecisionKind.UNDO: message("undoing"),
}

ACT_WORDS: Mapping[str, str] = {**SAID_WORDS, **DECISION_WORDS}
"""What an undo would take back, by the kind that the service gives it."""

NOW_WORDS: Mapping[str, str] = {
    Standing.APPLIED: message("It was carried out."),
    Standing.SECOND_READING: message("Somebody else reads it too."),
    Standing.ADJUDICATION: message("A team lead decides."),
}

SECOND_REASON_WORDS: Mapping[str, str] = {
    SecondReason.ESTABLISHED: message("both people have several records"),
    SecondReason.DECEASED: message("one of them has died"),
    SecondReason.MINOR: message("one of them is a minor"),
    SecondReason.LOW_MARGIN: message("the evidence is close"),
    SecondReason.UNSURE: message("the first reader was unsure"),
    SecondReason.SAMPLE: message("it is in the random sample"),
}

CHANGE_WORDS: Mapping[str, str] = {
    "task": message("the task was read by somebody else"),
    PersonChange.CREATED: message("the person came to be"),
    PersonChange.LINKED: message("a record was added"),
    PersonChange.UPDATED: message("a record has new values"),
    PersonChange.MERGED: message("the person was merged"),
    PersonChange.SUPERSEDED: message("the person was merged into another"),
    PersonChange.SPLIT: message("the person was split"),
    PersonChange.UNMERGED: message("a merge was taken back"),
    PersonChange.RESTORED: message("the person was restored"),
    PersonChange.WITHDRAWN: message("a record was withdrawn by its source"),
}
"""What changed since somebody looked, by the word that the service gives it."""

OPENED = (
    message("several people fit about equally well"),
    message("another record of one of the people forbids it"),
    message("the evidence lies between the review and the link threshold"),
    message("the record's new values contradict those of another record of its person"),
    message("records of one person speak against each other"),
    message("the person's records fall into two parts that hardly hold together"),
    message("a steward asks for this merge"),
)
"""Why tasks are opened, where it is not for vetoes."""

CLOSED = (
    message("judged same"),
    message("judged different"),
    message("unsure: nobody could tell"),
    message("the record asked about was withdrawn"),
    message("a record asked about was withdrawn"),
    message("the records asked about were parted"),
    message("the people asked about were joined"),
    message("one of the people asked about was joined with another"),
    message("the person asked about was joined with another"),
    message("the people asked about have changed"),
    message("the evidence no longer leaves it in doubt"),
    message("the record's values no longer contradict those of its person"),
    message("the person's records hold together"),
    message("a changed record of the person is asked about instead"),
    message("a steward judged them one person"),
    message("a steward judged them different"),
)
"""Why tasks are closed."""


def why_asked(words: Words, reason: str) -> Markup:
    """The reason of a task in a language; of another rule family as its rules name it."""
    lead, colon, vetoes = reason.partition(": ")
    if colon and lead == SPEAKING_AGAINST:
        return Markup("{}: {}").format(words.gettext(lead), why_asked(words, vetoes))
    return Markup("; ").join(words.gettext(each) for each in reason.split("; "))
