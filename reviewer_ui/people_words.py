"""Words of the person, audit, team and help screens: events, entries and reasons as sentences that catalogues
translate.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpi.domain.entries import EntryKind
from mpi.services.desk.search import Problem, Understood
from reviewer_ui.languages import Words, message

EVENT_WORDS: Mapping[str, str] = {
    "person.created": message("person created"),
    "person.linked": message("record linked"),
    "person.updated": message("record updated"),
    "person.merged": message("people merged"),
    "person.superseded": message("ID leads on"),
    "person.split": message("records left"),
    "person.unmerged": message("merge taken back"),
    "person.restored": message("ID given back"),
    "person.withdrawn": message("record withdrawn"),
    "review.judged": message("judgement"),
    "review.undone": message("undoing"),
    "review.read": message("reading"),
    "review.reading_withdrawn": message("reading taken back"),
    "review.revealed": message("reveal"),
}
"""What a kind of event is called."""

EVENT_SENTENCES: Mapping[str, str] = {
    "person.created": message("{person} was made, with {records}."),
    "person.linked": message("{records}: linked to {person}."),
    "person.updated": message("{records}: new version, of {person}."),
    "person.merged": message("{others} was merged into {person}. Records that came along: {records}."),
    "person.superseded": message("{person} leads to {others} from now on."),
    "person.split": message("{records}: left {person} for {others}."),
    "person.unmerged": message("{records}: given back by {person} to {others}."),
    "person.restored": message("{person} has its own ID again, with {records}, from {others}."),
    "person.withdrawn": message("{records}: withdrawn by its source, from {person}."),
    "review.judged": message("{records}: judged {verdicts}."),
    "review.undone": message("A decision was undone. Records: {records}."),
    "review.read": message("{records}: read; somebody else reads next."),
    "review.reading_withdrawn": message("{records}: a reading was taken back."),
    "review.revealed": message("{records}: {fields} seen in clear, reason: {reason}."),
}
"""What an event says; `{others}` are the other people, `{records}` the records that it names."""

OTHER_EVENT = message("{kind} of {person}. Records: {records}.")
"""What is said of an event whose kind has no sentence."""

ENTRY_WORDS: Mapping[EntryKind, str] = {
    EntryKind.SCHOOL_CHECK: message("School health check"),
    EntryKind.STATION_VISIT: message("Visit at a health station"),
    EntryKind.ENCOUNTER: message("Visit at a hospital"),
    EntryKind.CLAIM: message("Insurance claim"),
    EntryKind.VACCINATION: message("Vaccination"),
    EntryKind.LABORATORY_REPORT: message("Laboratory report"),
    EntryKind.PRESCRIPTION: message("Prescription"),
    EntryKind.IMAGING_STUDY: message("Imaging"),
    EntryKind.BIRTH: message("Birth"),
    EntryKind.DEATH: message("Death"),
    EntryKind.HEALTH_CHECK: message("Health check"),
    EntryKind.OTHER: message("Other entry"),
}

UNDERSTOOD_WORDS: Mapping[Understood, str] = {
    Understood.ENTERPRISE_ID: message("Searched as an enterprise ID."),
    Understood.RECORD_KEY: message("Searched as the key of a record."),
    Understood.NUMBER: message("Searched as a citizen or insurance number."),
    Understood.PHONE: message("Searched as a phone number."),
    Understood.NAME: message("Searched as a name."),
}

PROBLEM_WORDS: Mapping[Problem, str] = {
    Problem.TOO_LITTLE: message("A given name alone leads nowhere: add the rest of the name, a birth date or a ward."),
    Problem.MISTYPED_ID: message("This enterprise ID is mistyped: its last letter does not fit the others."),
    Problem.NO_NUMBER: message("This is no citizen number, insurance number or phone number."),
    Problem.UNKNOWN_WARD: message("There is no ward of this name or code, so the search went without it."),
    Problem.UNKNOWN_BIRTH: message("This is no birth date or year, so the search went without it."),
    Problem.WITHDRAWN: message("This record was withdrawn by its source and is nobody's now."),
    Problem.MORE: message("There are more people than these: add a birth date or a ward."),
    Problem.SHARED_WIDELY: message("Many people have this number, so it says nothing about who somebody is."),
}

DONE_WORDS: Mapping[str, str] = {
    "merged": message("The two people are one now."),
    "unmerged": message("This person has its own ID and its records again."),
    "second": message("Nothing has changed yet: another steward has to read this first."),
    "undone": message("It was undone."),
}
"""What was done, told after a redirect."""

TWO_PEOPLE = message("These are not the IDs of two different people.")
CHECK_IDS = message("Check both enterprise IDs: one is mistyped, or both are the same person's.")

FILTER_WORDS: Mapping[str, str] = {
    "kinds": message("There are no events of this kind."),
    "record": message("A record is written as its source, a colon and its own id."),
    "first": message("A revision is a whole number from 1."),
    "last": message("A revision is a whole number from 1."),
}
FILTER_UNKNOWN = message("There is no such person or record: the ID may be mistyped.")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that survivorship makes: its pattern, and the message that says it in the desk's languages."""

    pattern: re.Pattern[str]
    message: str


_REASONS = tuple(
    _Sentence(re.compile(pattern), said)
    for pattern, said in (
        (r"the only value known", message("the only value known")),
        (r"all (?P<known>\d+) records that have a value agree", message("all {known} records that have a value agree")),
        (r"first in the alphabet", message("first in the alphabet")),
        (r"from (?P<source>.+), trust tier (?P<tier>\d+)", message("from {source}, trust tier {tier}")),
        (r"recorded last, on (?P<moment>.+)", message("recorded last, on {moment}")),
        (r"held by (?P<held>\d+) of (?P<known>\d+) records", message("held by {held} of {known} records")),
        (r"the longest, (?P<length>\d+) characters", message("the longest, {length} characters")),
    )
)
_TIE = re.compile(r"(?P<reason>.+), after a tie in (?P<tied>.+)")
_TIED = message(", after a tie in {tied}")
_AND = message("and")
_TIE_WORDS: Mapping[str, str] = {
    "trust": message("trust"),
    "date": message("date"),
    "frequency": message("frequency"),
    "length": message("length"),
}


def golden_reason(words: Words, reason: str) -> str:
    """Why a value stands, in a language. What survivorship says in a way that is not known here is said as it is."""
    tie = _TIE.fullmatch(reason)
    core = tie["reason"] if tie else reason
    for sentence in _REASONS:
        found = sentence.pattern.fullmatch(core)
        if found is not None:
            said = words.gettext(sentence.message, **found.groupdict())
            return said + _tied(words, tie["tied"]) if tie else said
    return reason


def _tied(words: Words, tied: str) -> str:
    each = [words.gettext(_TIE_WORDS[word]) if word in _TIE_WORDS else word for word in tied.split(" and ")]
    return words.gettext(_TIED, tied=f" {words.gettext(_AND)} ".join(each))


_STRENGTHS = (
    (20.0, message("very strong evidence")),
    (10.0, message("strong evidence")),
    (3.0, message("fair evidence")),
    (0.0, message("weak evidence")),
)
_AGAINST = message("the pair alone speaks against it")


def link_strength(weight: float) -> str:
    """What a match weight in bits comes to, as a message."""
    return next((said for least, said in _STRENGTHS if weight >= least), _AGAINST)


SHARED: Mapping[str, Any] = {
    "event_words": EVENT_WORDS,
    "event_sentences": EVENT_SENTENCES,
    "other_event": OTHER_EVENT,
    "entry_words": ENTRY_WORDS,
    "done_words": DONE_WORDS,
    "golden_reason": golden_reason,
    "link_strength": link_strength,
}
"""What the templates of these screens are given."""
