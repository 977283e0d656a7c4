"""The rules' own words as messages: columns, comparisons, levels and vetoes, as the Vietnamese family writes them.

What another family says is shown as its rule file says it.
"""

from collections.abc import Mapping

from mpi.services.desk.pair_warnings import Caution
from reviewer_ui.languages import message

FIELD_WORDS: Mapping[str, str] = {
    "full_name": message("Full name"),
    "birth_date": message("Birth date"),
    "sex": message("Sex"),
    "citizen_id": message("Citizen number"),
    "health_insurance_number": message("Insurance number"),
    "phone": message("Phone"),
    "ward_code": message("Ward"),
    "address": message("Address"),
    "mother_name": message("Mother's name"),
    "recorded_at": message("Recorded at"),
    "source": message("Source"),
}
"""What raw columns are called on a screen."""

COMPARISON_WORDS: Mapping[str, str] = {
    "citizen_number": message("Citizen number"),
    "insurance_number": message("Insurance number"),
    "other_number": message("Old card or passport number"),
    "name": message("Full name"),
    "birth_date": message("Birth date"),
    "sex": message("Sex"),
    "phone": message("Phone"),
    "place": message("Address"),
    "mother": message("Mother's name"),
    "newborn_order": message("Order among twins"),
}

CAUTION_WORDS: Mapping[Caution, str] = {
    Caution.TWINS: message("They may be twins: one birth date and one family, but another given name."),
    Caution.SIBLINGS: message("They may be brothers or sisters: one family, but another given name and birth date."),
    Caution.MOTHERS_NUMBER: message(
        "One number is on a child and on somebody a generation older: it may be the mother's."
    ),
    Caution.PARENTS_NUMBER: message(
        "A citizen number on one side is too old for this person: it is likely a parent's."
    ),
    Caution.SHARED_PHONE: message("The phone is shared, but name or birth date is not: it may be a relative's."),
    Caution.SEX_CONFLICT: message("The sexes contradict each other."),
    Caution.PLACEHOLDER_DATE: message("A birth date is 1 January or stands for none: the day is likely not known."),
    Caution.SHARED_WIDELY: message("Too many people share a value here: it counts for nothing."),
    Caution.RECORDED_APART: message("The two were recorded years apart: names, phones and addresses may have changed."),
}

LEVELS = (
    message("missing"),
    message("equal and name or date agrees"),
    message("equal only"),
    message("one slip"),
    message("two slips"),
    message("different but one is doubtful"),
    message("different"),
    message("equal"),
    message("equal with marks"),
    message("equal and one side has no marks"),
    message("letters equal but marks differ"),
    message("letters equal but another given name"),
    message("sounds alike"),
    message("syllables in another order"),
    message("one edit and given name equal"),
    message("middle missing"),
    message("one edit in the given name"),
    message("sounds alike but another given name"),
    message("one edit but another given name"),
    message("surname differs"),
    message("middle differs"),
    message("slips in several parts"),
    message("given name only"),
    message("different and one given name is on no list"),
    message("day and month swapped"),
    message("year equal and one side knows no more"),
    message("two parts equal"),
    message("within sixty days"),
    message("a year apart and one side knows no more"),
    message("year equal"),
    message("within two years"),
    message("years apart"),
    message("a generation apart and one is an infant"),
    message("a generation apart"),
    message("shared"),
    message("street line equal"),
    message("ward shared"),
    message("near"),
)

VETOES = (
    message("two different valid citizen numbers"),
    message("sex and birth year contradict"),
    message("another name and another birth date"),
    message("another name, hardly written, and a birth date far off"),
    message("another name and another number"),
    message("another name and another sex"),
    message("another name on one birth date"),
    message("an infant and somebody a generation older"),
    message("an infant and somebody a generation older under one number"),
    message("a like name a generation apart"),
    message("brothers and sisters"),
    message("a like name and birth dates two years apart"),
    message("birth years apart"),
    message("a generation apart though a number is equal"),
    message("another middle name"),
    message("slips in several parts of the name and another birth date"),
    message("a relative's insurance number"),
    message("twins"),
    message("a newborn that has a twin"),
    message("a newborn of another sex"),
    message("another sex, slips in several parts of the name and a year alone"),
    message("a middle name short and a year apart"),
    message("no name, another birth date and no number in common"),
)

_STRENGTHS = (
    (6.0, message("strongly for it"), message("strongly against it")),
    (2.0, message("for it"), message("against it")),
    (0.0, message("weakly for it"), message("weakly against it")),
)

SAYS_SOMETHING = 0.05
"""Bits below which a comparison says nothing worth a line."""


def strength(bits: float) -> str:
    """What so many bits say, as a message."""
    return next(pro if bits > 0 else contra for least, pro, contra in _STRENGTHS if abs(bits) >= least)


def field_word(column: str) -> str:
    """What a column is called, as a message; of another family its own name."""
    return FIELD_WORDS.get(column, column.replace("_", " "))


def comparison_word(name: str) -> str:
    """What a comparison is called, as a message."""
    return COMPARISON_WORDS.get(name, name.replace("_", " "))
