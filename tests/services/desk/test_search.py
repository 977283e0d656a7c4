from collections.abc import Mapping, Sequence

import pytest

from mpi.domain.errors import MissingRightError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.domain.review import Actor, Role
from mpi.registry.registry import Registry
from mpi.services.desk import search as searching
from mpi.services.desk.search import Answer, Found, Problem, Question, Understood, search
from mpi.services.neighbourhood import OnlineRules
from tests.services.stored import HUNG, LAN, MAI, index, merge, record, store

STEWARD = Actor("an", Role.STEWARD)
NAMESAKE = (record("hospital", "H7", full_name="Trần Thị Lan", birth_date="1990-01-02", address="Phường Bến Thành"),)
PEOPLE = {"lan": LAN, "hung": HUNG, "mai": MAI, "namesake": NAMESAKE}


class Searching:
    """A registry with some people in it, and their IDs by name."""

    def __init__(self, registry: Registry, people: Mapping[str, Sequence[SourceRecord]]) -> None:
        self.registry = registry
        self.ids = dict(zip(people, store(registry, list(people.values())), strict=True))
        self.rules: OnlineRules = index(registry)

    def asks(self, text: str, birth: str = "", ward: str = "") -> Answer:
        return search(self.registry, self.rules, STEWARD, Question(text, birth, ward))

    def finds(self, text: str, birth: str = "", ward: str = "") -> list[str]:
        named = {enterprise_id: name for name, enterprise_id in self.ids.items()}
        return [named[person.enterprise_id] for person in self.asks(text, birth, ward).people]


@pytest.fixture
def desk(registry: Registry) -> Searching:
    return Searching(registry, PEOPLE)


def test_an_id_is_found_however_it_is_typed(desk: Searching) -> None:
    typed = desk.ids["lan"]
    for text in (typed, typed.lower(), typed.replace("-", ""), f"  {typed} "):
        answer = desk.asks(text)
        assert answer.understood is Understood.ENTERPRISE_ID
        assert [person.enterprise_id for person in answer.people] == [typed]


def test_an_id_that_was_merged_leads_on(desk: Searching) -> None:
    merge(desk.registry, desk.ids["hung"], desk.ids["lan"])
    assert desk.finds(desk.ids["hung"]) == ["lan"]


def test_a_mistyped_id_is_told_from_one_that_nobody_has(desk: Searching) -> None:
    right = desk.ids["lan"]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    answer = desk.asks(wrong)
    assert (answer.people, answer.problems) == ((), (Problem.MISTYPED_ID,))


def test_a_record_is_found_by_its_key(desk: Searching) -> None:
    answer = desk.asks("insurance: I1")
    assert answer.understood is Understood.RECORD_KEY
    assert [(person.enterprise_id, person.through) for person in answer.people] == [
        (desk.ids["lan"], RecordKey("insurance", "I1"))
    ]
    assert desk.asks("insurance:I9") == Answer(Understood.RECORD_KEY)


@pytest.mark.parametrize("text", ["079184000123", "079 184 000 123"])
def test_a_number_leads_to_who_bears_it(desk: Searching, text: str) -> None:
    answer = desk.asks(text)
    assert answer.understood is Understood.NUMBER
    assert [(each.enterprise_id, each.through) for each in answer.people] == [
        (desk.ids["lan"], RecordKey("insurance", "I1"))
    ]


def test_a_number_that_nobody_bears_and_one_that_is_none_are_told_apart(desk: Searching) -> None:
    assert desk.asks("079184000131") == Answer(Understood.NUMBER)
    assert desk.asks("12345678").problems == (Problem.NO_NUMBER,)


@pytest.mark.parametrize("text", ["0903718264", "+84 903 718 264"])
def test_a_phone_leads_to_who_has_it(desk: Searching, text: str) -> None:
    assert desk.asks(text).understood is Understood.PHONE
    assert desk.finds(text) == ["lan"]
    assert desk.finds("0912604830") == []


def test_a_name_is_found_with_and_without_marks(desk: Searching) -> None:
    for text in ("Trần Thị Lan", "tran thi lan", "TRẦN  THỊ LAN", "Lan Trần Thị"):
        assert desk.asks(text).understood is Understood.NAME
        assert sorted(desk.finds(text)) == ["lan", "namesake"]
    assert desk.finds("Phạm Ngọc Mai") == ["mai"]
    assert desk.finds("Võ Văn Kiệt") == []


def test_a_name_written_as_it_sounds_is_found_with_a_birth_year(desk: Searching) -> None:
    assert desk.finds("Chần Thị Lan", "1984") == ["lan"]


def test_a_birth_date_and_a_ward_bring_the_likelier_one_first(desk: Searching) -> None:
    for birth in ("1984", "19/03/1984"):
        assert desk.finds("Trần Thị Lan", birth)[0] == "lan"
    for birth in ("1990", "2/1/1990"):
        assert desk.finds("Trần Thị Lan", birth)[0] == "namesake"
    for ward in ("Bến Thành", "phường bến thành", "26743"):
        assert desk.finds("Trần Thị Lan", "", ward)[0] == "namesake"


def test_who_is_named_otherwise_is_not_found_by_a_birth_date(desk: Searching) -> None:
    assert desk.finds("Võ Văn Kiệt", "19/03/1984") == []


def test_a_given_name_alone_asks_for_more_and_is_found_with_it(desk: Searching) -> None:
    answer = desk.asks("Lan")
    assert (answer.people, answer.problems) == ((), (Problem.TOO_LITTLE,))
    assert desk.asks("Lan", "1984").problems == (Problem.TOO_LITTLE,)
    assert desk.finds("Lan", "19/03/1984") == ["lan"]
    assert desk.finds("Lan", "", "Bến Thành") == ["namesake"]


def test_what_is_no_date_and_no_ward_is_said_and_the_rest_is_searched(desk: Searching) -> None:
    answer = desk.asks("Phạm Ngọc Mai", "when it rained", "Atlantis")
    assert answer.problems == (Problem.UNKNOWN_BIRTH, Problem.UNKNOWN_WARD)
    assert len(answer.people) == 1
    assert desk.asks("Lan", "", "Atlantis").problems == (Problem.UNKNOWN_WARD, Problem.TOO_LITTLE)


def test_nothing_asked_is_nothing_found(desk: Searching) -> None:
    for text in ("", "   "):
        assert desk.asks(text, "1984") == Answer(Understood.NOTHING)


def test_people_are_shown_masked(desk: Searching) -> None:
    (found,) = desk.asks("insurance:I1").people
    assert isinstance(found, Found)
    assert (found.source_systems, found.records) == (("hospital", "insurance", "station"), 3)
    assert found.values["birth_date"].endswith("1984")
    shown = " ".join(found.values.values())
    for hidden in ("Lan", "LAN", "Trần", "TRẦN", "0791840", "09037", "03-19", "19/03"):
        assert hidden not in shown


def test_more_people_than_are_shown_are_told_of(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_PEOPLE", 3)
    namesakes = {
        str(at): (record("hospital", f"H{at}", full_name="Lý Thu Hà", birth_date=f"19{50 + at}-02-03"),)
        for at in range(4)
    }
    desk = Searching(registry, namesakes)
    answer = desk.asks("Lý Thu Hà")
    assert (len(answer.people), answer.problems) == (3, (Problem.MORE,))
    whole = desk.asks("Lý Thu Hà", "3/2/1951")
    assert whole.people[0].enterprise_id == desk.ids["1"]


def test_a_name_that_fills_several_pages_asks_for_more(registry: Registry) -> None:
    """More bearers of a name than a page of keys holds: what is seen is a part, and it is said."""
    namesakes = {
        str(at): (
            record(
                "hospital",
                f"H{at}",
                full_name="Lý Thu Hà",
                birth_date=f"{1930 + at}-{1 + at % 12:02}-{1 + at % 28:02}",
                sex="Nữ",
            ),
        )
        for at in range(90)
    }
    desk = Searching(registry, namesakes)
    answer = desk.asks("Lý Thu Hà")
    assert answer.problems == (Problem.MORE,)
    assert 0 < len(answer.people) <= 50
    narrowed = desk.asks("Lý Thu Hà", "2/2/1943")
    assert narrowed.problems == ()
    assert desk.finds("Lý Thu Hà", "14/2/1943")[0] == "13"


@pytest.mark.parametrize("role", [Role.ADMIN])
def test_who_may_not_look_up_is_told_the_right_that_is_missing(registry: Registry, role: Role) -> None:
    with pytest.raises(MissingRightError) as refused:
        search(registry, OnlineRules.__new__(OnlineRules), Actor("an", role), Question("anything"))
    assert refused.value.metadata == {"right": "look_up"}


def test_hostile_texts_find_nothing_and_break_nothing(desk: Searching) -> None:
    for text in ("<script>", "%' OR 1=1 --", "a" * 5_000, "\u202e\u0000", ":", "hospital:", "::::", "٠٩٠٣٧١٨٢٦٤٤"):
        answer = desk.asks(text, text, text)
        assert answer.people == ()
