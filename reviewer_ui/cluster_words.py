"""Words of the cluster and of the preview of a split: the service's terms as sentences that catalogues translate."""

from collections.abc import Mapping

from mpi.services.desk.cluster_view import Strength
from reviewer_ui.languages import message

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What stands for the different values of a row."""

STRENGTH_WORDS: Mapping[str, str] = {
    Strength.CERTAIN: message("as good as certain"),
    Strength.LIKELY: message("enough to link"),
    Strength.DOUBTFUL: message("in doubt"),
    Strength.AGAINST: message("speaks for two people"),
}

CHOOSE_SOME = message("Choose at least one record of this person that leaves, and leave at least one that stays.")
GIVE_ID = message("Give the enterprise ID of the person whom the chosen records belong to.")
NOT_YET = message("This cannot be previewed yet.")

DONE_WORDS: Mapping[str, str] = {
    "split": message("Split. The other part is now this person:"),
    "move": message("Moved. The records are now with this person:"),
    "undone": message("Taken back. The records are together again."),
}
"""What is told after a decision, by its kind."""
