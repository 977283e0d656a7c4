"""How a person is told whom stewards changed: who did it, and by which decision."""

from typing import Any

import pytest
from rich.console import Console

from mpi.cli.persons_shown import person_parts, person_values
from mpi.registry.registry import Registry
from mpi.services import enquire
from tests.online.desk import Desk
from tests.services.stewardship.stewards import Stewards


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def shown(stewards: Stewards, enterprise_id: str) -> tuple[dict[str, Any], str]:
    """The person as values, and as text."""
    model = stewards.desk.rules.model
    view = enquire.person(stewards.registry, model, enterprise_id)
    values = person_values(view, enquire.history(stewards.registry, enterprise_id), model, reveal=False)
    console = Console(width=200)
    with console.capture() as captured:
        for part in person_parts(values):
            console.print(part)
    return values, captured.get()


def test_who_changed_a_person_and_by_which_decision(stewards: Stewards) -> None:
    stewards.desk.comes("a:1", name="lan thi", birth="19850101")
    stewards.desk.comes("a:2", name="lan thi", birth="19850101")
    stewards.desk.comes("b:1", name="hung", birth="19900909")
    one, other = (stewards.id_of(each) or "" for each in ("a:1", "b:1"))
    merged = stewards.merge(one, other)
    told, text = shown(stewards, other)
    assert told["redirected"]
    assert [(each["kind"], each["steward"], each["decision"]) for each in told["history"]] == [
        ("person.created", None, None),
        ("person.linked", None, None),
        ("person.created", None, None),
        ("person.merged", "lan", merged.decision_id),
        ("person.superseded", "lan", merged.decision_id),
    ]
    assert f"steward lan, decision {merged.decision_id}" in text
    joined = {each["record"]: each["made_by"] for each in told["records"]}
    assert joined == {"a:1": "rules", "a:2": "rules", "b:1": "steward"}
    assert "placed by a steward" in text
    assert text.count("began the person, by rules") == 1

    parted = stewards.unmerge(other)
    told, text = shown(stewards, one)
    assert [(each["kind"], each["decision"]) for each in told["history"]][-2:] == [
        ("person.merged", merged.decision_id),
        ("person.unmerged", parted.decision_id),
    ]
    assert told["history"][-1]["others"] == [other]
    assert told["history"][-1]["records"] == ["b:1"]
    told, text = shown(stewards, other)
    assert [each["kind"] for each in told["history"]] == ["person.created", "person.superseded", "person.restored"]
    # it is as it was: the rules began it
    assert "began the person, by rules" in text
    assert "placed by a steward" not in text

    split = stewards.split(one, "a:2")
    told, text = shown(stewards, stewards.id_of("a:2") or "")
    assert [(each["kind"], each["decision"], each["others"]) for each in told["history"]] == [
        ("person.created", split.decision_id, [one])
    ]
    told, _ = shown(stewards, one)
    last = told["history"][-1]
    assert (last["kind"], last["records"], last["others"]) == ("person.split", ["a:2"], [stewards.id_of("a:2")])
