"""Words of the pair and queue pages: stages, verdicts, what became of an answer, and why somebody else reads it."""

from collections.abc import Mapping

from mpi.domain.review import RevealReason, Stage
from reviewer_ui.languages import message

STAGE_WORDS: Mapping[Stage, str] = {
    Stage.FIRST: message("First reading"),
    Stage.SECOND: message("Second reading"),
    Stage.ADJUDICATION: message("Adjudication"),
}

REASON_WORDS: Mapping[RevealReason, str] = {
    RevealReason.COMPARE: message("to compare the two records"),
    RevealReason.CONTACT: message("to get in touch with the person or a source"),
    RevealReason.COMPLAINT: message("for a complaint"),
    RevealReason.AUDIT: message("for an inspection"),
}

SAID_WORDS: Mapping[str, str] = {
    "same": message("one person"),
    "different": message("two people"),
    "unsure": message("nobody can tell"),
    "escalate": message("passed to a team lead"),
}

NOW_WORDS: Mapping[str, str] = {
    "applied": message("It was carried out."),
    "second_reading": message("Somebody else reads it too."),
    "adjudication": message("A team lead decides."),
}

WHY_WORDS: Mapping[str, str] = {
    "established": message("both people have several records"),
    "deceased": message("a death is registered"),
    "minor": message("one of them is under eighteen"),
    "low_margin": message("the evidence is thin"),
    "unsure": message("you were not sure"),
    "sample": message("some answers are read twice by chance"),
}

ACT_WORDS: Mapping[str, str] = {
    "same": message("one person"),
    "different": message("two people"),
    "unsure": message("nobody can tell"),
    "escalate": message("passed to a team lead"),
    "judge": message("a judgement"),
    "merge": message("a merge"),
    "unmerge": message("a separation"),
    "split": message("a split"),
    "move": message("a move of records"),
}
"""What an undo would take back, by the kind that the service gives it."""

CHANGE_WORDS: Mapping[str, str] = {
    "task": message("the task was read by somebody else"),
    "withdrawn": message("a record was withdrawn by its source"),
    "created": message("the person came to be"),
    "linked": message("a record was added"),
    "updated": message("a record has new values"),
    "merged": message("the person was merged"),
    "superseded": message("the person was merged into another"),
    "split": message("the person was split"),
    "unmerged": message("a merge was taken back"),
    "restored": message("the person was restored"),
}
"""What changed since somebody looked, by the word that the service gives it."""
