"""Why questions are asked and why they close, in words. Whoever opens or closes a task takes its reason from here, so
that the desk has each of them in every language.
"""

from collections.abc import Mapping

from mpi.domain.review import Verdict
from mpi.registry.reviews import UNSURE

SEVERAL_FIT = "several people fit about equally well"
FORBIDDEN_BY_ANOTHER = "another record of one of the people forbids it"
IN_DOUBT = "the evidence lies between the review and the link threshold"
CONTRADICTING = "the record's new values contradict those of another record of its person"
SPEAKING_AGAINST = "records of one person speak against each other"
WEAKLY_JOINED = "the person's records fall into two parts that hardly hold together"
MERGE_WANTED = "a steward asks for this merge"

OPENED = (
    SEVERAL_FIT,
    FORBIDDEN_BY_ANOTHER,
    IN_DOUBT,
    CONTRADICTING,
    SPEAKING_AGAINST,
    WEAKLY_JOINED,
    MERGE_WANTED,
)
"""Why a question is asked; or else it is for vetoes, whose names have "; " between them. They may also stand behind
SPEAKING_AGAINST and ": "."""

RECORD_WITHDRAWN = "a record asked about was withdrawn"
ITS_RECORD_WITHDRAWN = "the record asked about was withdrawn"
PARTED = "the records asked about were parted"
JOINED = "the people asked about were joined"
ONE_JOINED = "one of the people asked about was joined with another"
PERSON_JOINED = "the person asked about was joined with another"
PEOPLE_CHANGED = "the people asked about have changed"
NO_LONGER_IN_DOUBT = "the evidence no longer leaves it in doubt"
NO_LONGER_CONTRADICTING = "the record's values no longer contradict those of its person"
HOLDS_TOGETHER = "the person's records hold together"
ASKED_OF_RECORD = "a changed record of the person is asked about instead"
JUDGED_SAME = "a steward judged them one person"
JUDGED_DIFFERENT = "a steward judged them different"
DECIDED: Mapping[Verdict, str] = {
    Verdict.SAME: "judged same",
    Verdict.DIFFERENT: "judged different",
    Verdict.UNSURE: f"{UNSURE}: nobody could tell",
}
"""Of tasks that were decided themselves. Those that nobody could tell are found again by how this begins."""

CLOSED = (
    RECORD_WITHDRAWN,
    ITS_RECORD_WITHDRAWN,
    PARTED,
    JOINED,
    ONE_JOINED,
    PERSON_JOINED,
    PEOPLE_CHANGED,
    NO_LONGER_IN_DOUBT,
    NO_LONGER_CONTRADICTING,
    HOLDS_TOGETHER,
    ASKED_OF_RECORD,
    JUDGED_SAME,
    JUDGED_DIFFERENT,
    *DECIDED.values(),
)
