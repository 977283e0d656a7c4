"""Forms as writing calls: one digest for one content, and outcomes that come back from the bytes they were kept as."""

from mpi.domain.review import DecisionKind
from mpi.services.resolution import Affected, PersonChange
from mpi.services.stewardship.adjudicate import Outcome, Standing
from reviewer_ui.calls import decode, encode, writing_call
from tests.services.stewardship.stewards import LAN, MINH


def test_the_same_form_is_the_same_call_and_another_is_not() -> None:
    first = writing_call("split", LAN, "r1", "AAA", ["a:1", "b:2"], None, "note", 7)
    assert first == writing_call("split", LAN, "r1", "AAA", ["a:1", "b:2"], None, "note", 7)
    assert (first.request_id, first.verb) == ("r1", "desk.split")
    others = [
        writing_call("split", MINH, "r1", "AAA", ["a:1", "b:2"], None, "note", 7),
        writing_call("split", LAN, "r1", "AAA", ["a:1"], "b:2", "note", 7),
        writing_call("split", LAN, "r1", "AAA", ["a:1", "b:2"], None, "note", 8),
        writing_call("split", LAN, "r1", "AAA", ["a:1", "b:2"], "None", "note", 7),
    ]
    assert first.payload_digest not in {other.payload_digest for other in others}


def test_an_outcome_comes_back_as_what_is_told() -> None:
    affected = (
        Affected("AAA", PersonChange.CREATED, None),
        Affected("BBB", PersonChange.SPLIT, None),
        Affected("CCC", PersonChange.SUPERSEDED, "BBB"),
    )
    told = decode(encode(Outcome(Standing.APPLIED, DecisionKind.SPLIT, 12, None, affected, (), 14)))
    assert (told.is_applied, told.kind, told.decision_id, told.task_id) == (True, "split", 12, None)
    assert told.people == (("AAA", "created", None), ("BBB", "split", None), ("CCC", "superseded", "BBB"))
    assert told.who(PersonChange.CREATED, PersonChange.LINKED) == ["AAA"]


def test_what_waits_for_somebody_else_is_not_applied() -> None:
    told = decode(encode(Outcome(Standing.SECOND_READING, None, None, None, (), ("deceased", "minor"), 14)))
    assert (told.is_applied, told.second_reasons, told.people) == (False, ("deceased", "minor"), ())
