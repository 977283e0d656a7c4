"""Words of the cluster and of the preview of a split: the service's terms as sentences that catalogues translate."""

from collections.abc import Mapping

from mpi.domain.review import RevealReason
from mpi.services.cluster_view import Strength
from reviewer_ui.languages import message

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What stands for the different values of a row."""

STRENGTH_WORDS: Mapping[str, str] = {
    Strength.CERTAIN: message("as good as certain"),
    Strength.LIKELY: message("enough to link"),
    Strength.DOUBTFUL: message("in doubt"),
    Strength.AGAINST: message("speaks for two people"),
}

MADE_BY_WORDS: Mapping[str, str] = {
    "rules": message("the rules"),
    "steward": message("a steward"),
    "source": message("its source"),
}

COLUMN_WORDS: Mapping[str, str] = {
    "full_name": message("Full name"),
    "birth_date": message("Birth date"),
    "sex": message("Sex"),
    "citizen_id": message("Citizen number"),
    "health_insurance_number": message("Health insurance number"),
    "phone": message("Phone"),
    "ward_code": message("Ward"),
    "address": message("Address"),
    "mother_name": message("Mother's name"),
}
"""The Vietnamese family's columns; those of other families are shown as their rules name them."""

REVEAL_WORDS: Mapping[str, str] = {
    RevealReason.COMPARE: message("to compare records"),
    RevealReason.CONTACT: message("to contact somebody"),
    RevealReason.COMPLAINT: message("a complaint"),
    RevealReason.AUDIT: message("an audit"),
}

VETO_WORDS: tuple[str, ...] = (
    message("two different valid citizen numbers"),
    message("sex and birth year contradict"),
    message("another name on one birth date"),
    message("an infant and somebody a generation older under one number"),
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
"""The vetoes of the Vietnamese family that speak against one person; those of other families are shown as named."""

CHANGE_WORDS: tuple[str, ...] = (
    message("created"),
    message("linked"),
    message("updated"),
    message("merged"),
    message("superseded"),
    message("split"),
    message("unmerged"),
    message("restored"),
    message("withdrawn"),
)
"""What can have happened to people meanwhile, as StaleVersionError says it."""

CHOOSE_SOME = message("Choose at least one record of this person that leaves, and leave at least one that stays.")
GIVE_ID = message("Give the enterprise ID of the person whom the chosen records belong to.")
NOT_YET = message("This cannot be previewed yet.")

DONE_WORDS: Mapping[str, str] = {
    "split": message("Split. The other part is now this person:"),
    "move": message("Moved. The records are now with this person:"),
    "undone": message("Taken back. The records are together again."),
}
"""What is told after a decision, by its kind."""
