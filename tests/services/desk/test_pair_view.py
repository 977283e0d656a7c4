"""A pair as a steward sees it: masked, with a chip a field, warnings, whose it is, and the weight in steps."""

import numpy as np
import pytest

from mpi.domain.errors import MissingRightError, UnknownRecordError
from mpi.domain.records import RecordKey, SourceRecord
from mpi.domain.review import Actor, Role
from mpi.matching.features import representation_of
from mpi.registry import blocking_keys
from mpi.registry.registry import Registry
from mpi.services.desk.pair_chips import Chip
from mpi.services.desk.pair_view import PairQuestion, PairRow, PairView, pair_view
from mpi.services.desk.pair_warnings import Caution
from mpi.services.neighbourhood import OnlineRules
from mpi.standardise.record import standardise_record
from tests.services.stored import HUNG, LAN, MAI, MODEL, SCORER, record, store

STEWARD = Actor("an", Role.STEWARD)

LAN_AGAIN = record(
    "student",
    "T9",
    at="2025-09-05",
    full_name="Trần Thị Lân",
    birth_date="1984-03-19",
    sex="Nữ",
    phone="0903718264",
    ward_code="26734",
    address="12 Lê Lợi, Phường 4, Gò Vấp",
)


def view(registry: Registry, left: SourceRecord, right: SourceRecord, *, hidden: bool = False) -> PairView:
    rules = OnlineRules(SCORER, registry.secret)
    return pair_view(registry, rules, STEWARD, PairQuestion(left.key, right.key, blind=hidden))


def rows(found: PairView) -> dict[str, PairRow]:
    return {row.column: row for row in found.rows}


def chips(registry: Registry, left: dict[str, str], right: dict[str, str]) -> dict[str, Chip]:
    pair = record("hospital", "A", **left), record("station", "B", **right)
    store(registry, [[pair[0]], [pair[1]]])
    return {row.column: row.chip for row in view(registry, *pair).rows}


def cautions(registry: Registry, left: SourceRecord, right: SourceRecord) -> set[Caution]:
    store(registry, [[left], [right]])
    return set(view(registry, left, right).cautions)


def test_values_are_masked_and_compared(registry: Registry) -> None:
    store(registry, [LAN, [LAN_AGAIN]])
    found = rows(view(registry, LAN[0], LAN_AGAIN))
    assert found["full_name"] == PairRow("full_name", "T•• T•• L••", "T•• T•• L••", Chip.NEAR, hides=True)
    assert found["birth_date"] == PairRow("birth_date", "••/1984", "••/1984", Chip.SAME, hides=True)
    assert found["sex"] == PairRow("sex", None, "Nữ", Chip.MISSING, hides=False)
    assert found["phone"] == PairRow("phone", "••8264", "••8264", Chip.SAME, hides=True)
    assert found["citizen_id"] == PairRow("citizen_id", None, None, Chip.MISSING, hides=False)
    assert found["address"].right == "••, Phường 4, Gò Vấp"
    assert found["recorded_at"] == PairRow("recorded_at", "2025-01-10", "2025-09-05", Chip.NEAR, hides=False)
    assert found["source"] == PairRow("source", "hospital:H1", "student:T9", Chip.DIFFERENT, hides=False)
    assert list(found)[:3] == ["full_name", "birth_date", "sex"]


def test_nothing_personal_is_anywhere_in_it(registry: Registry) -> None:
    store(registry, [LAN, [LAN_AGAIN]])
    text = repr(view(registry, LAN[0], LAN_AGAIN))
    for secret in ("TRẦN", "Lân", "1984-03-19", "0903718264", "Lê Lợi", "lan"):
        assert secret not in text


@pytest.mark.parametrize(
    ("left", "right", "column", "chip"),
    [
        ({"full_name": "Lê Hoà"}, {"full_name": "LÊ HÒA"}, "full_name", Chip.SAME),
        ({"full_name": "Lê Văn Hùng"}, {"full_name": "Le Van Hung"}, "full_name", Chip.NEAR),
        ({"full_name": "Lê Văn Hùng"}, {"full_name": "Hùng Lê Văn"}, "full_name", Chip.SWAPPED),
        ({"full_name": "Lê Văn Hùng"}, {"full_name": "Phạm Ngọc Mai"}, "full_name", Chip.DIFFERENT),
        ({"birth_date": "2001-02-09"}, {"birth_date": "09/02/2001"}, "birth_date", Chip.SAME),
        ({"birth_date": "2001-02-09"}, {"birth_date": "02/09/2001"}, "birth_date", Chip.SWAPPED),
        ({"birth_date": "2001-02-09"}, {"birth_date": "2001"}, "birth_date", Chip.NEAR),
        ({"birth_date": "2001-02-09"}, {"birth_date": "1960-11-30"}, "birth_date", Chip.DIFFERENT),
        ({"birth_date": "2001-02-09"}, {"birth_date": "không rõ"}, "birth_date", Chip.MISSING),
        ({"sex": "Nam"}, {"sex": "M"}, "sex", Chip.SAME),
        ({"phone": "0903718264; 0912604837"}, {"phone": "+84 912 604 837"}, "phone", Chip.SAME),
        ({"phone": "0903718264"}, {"phone": "0912604837"}, "phone", Chip.DIFFERENT),
        ({"citizen_id": "079184000123"}, {"citizen_id": "079184000132"}, "citizen_id", Chip.NEAR),
        ({"mother_name": "Trần Thị Bé"}, {"mother_name": "Tran Thi Be"}, "mother_name", Chip.SAME),
    ],
)
def test_the_chip_of_a_field(
    left: dict[str, str], right: dict[str, str], column: str, chip: Chip, registry: Registry
) -> None:
    name = {"full_name": "Lê Văn Hùng"}
    assert chips(registry, name | left, name | right)[column] is chip


def test_a_ward_that_only_an_address_tells_is_missing_in_its_own_row(registry: Registry) -> None:
    address = {"address": "12 Lê Lợi, Phường 4, Quận Gò Vấp"}
    found = chips(registry, {"full_name": "Lê An", **address}, {"full_name": "Lê An", "ward_code": "26734", **address})
    assert (found["ward_code"], found["address"]) == (Chip.MISSING, Chip.SAME)


def test_whose_the_records_are_and_which_id_would_stay(registry: Registry) -> None:
    lan, other = store(registry, [LAN, [LAN_AGAIN]])
    found = view(registry, LAN_AGAIN, LAN[0])
    assert found.right_person is not None
    assert (found.right_person.enterprise_id, found.right_person.records) == (lan, 3)
    assert found.right_person.sources == ("hospital", "insurance", "station")
    assert (found.stays, found.leads) == (lan, other)
    assert not found.one_person
    inside = view(registry, LAN[0], LAN[1])
    assert inside.one_person
    assert (inside.stays, inside.leads) == (None, None)


def test_the_waterfall_adds_up(registry: Registry) -> None:
    store(registry, [LAN, [LAN_AGAIN]])
    shown = view(registry, LAN[0], LAN_AGAIN).waterfall
    assert shown is not None
    assert shown.weight == pytest.approx(shown.prior + sum(step.bits for step in shown.steps))
    assert ("phone", "shared") in [(step.comparison, step.level) for step in shown.steps]


def test_a_blind_reader_sees_nothing_of_what_was_decided(registry: Registry) -> None:
    store(registry, [LAN, [LAN_AGAIN]])
    apart, together = (view(registry, LAN[0], other, hidden=True) for other in (LAN_AGAIN, LAN[1]))
    for found in (apart, together):
        assert (found.left_person, found.right_person, found.stays, found.leads) == (None, None, None, None)
        assert (found.waterfall, found.vetoes, found.other_tasks, found.one_person) == (None, (), (), False)
    assert rows(apart)["phone"].chip is Chip.SAME


def test_twins_are_told(registry: Registry) -> None:
    twins = [
        record("student", f"T{at}", full_name=f"Lê Ngọc {given}", birth_date="2014-05-06", mother_name="Trần Thị Bé")
        for at, given in enumerate(("Lan", "Huệ"))
    ]
    assert Caution.TWINS in cautions(registry, *twins)
    found = view(registry, *twins)
    assert Caution.SIBLINGS not in found.cautions


def test_brothers_on_one_phone_are_told(registry: Registry) -> None:
    brothers = [
        record("student", f"T{year}", full_name=f"Lê Văn {given}", birth_date=f"{year}-05-06", phone="0912604837")
        for year, given in ((2010, "Hùng"), (2013, "Dũng"))
    ]
    assert cautions(registry, *brothers) == {Caution.SIBLINGS, Caution.SHARED_PHONE}


def test_a_mothers_number_on_a_newborn_is_told(registry: Registry) -> None:
    number = "079192000123"
    mother = record("hospital", "M", full_name="Trần Thị Bé", birth_date="1992-03-19", sex="Nữ", citizen_id=number)
    child = record(
        "hospital",
        "C",
        at="2025-03-02",
        full_name="Trần Thị Bé",
        birth_date="2025-03-01",
        health_insurance_number="0192000123",
    )
    card = record(
        "insurance", "I", full_name="Trần Thị Bé", birth_date="1992-03-19", health_insurance_number="0192000123"
    )
    store(registry, [[mother], [child], [card]])
    assert Caution.MOTHERS_NUMBER in view(registry, card, child).cautions
    assert Caution.MOTHERS_NUMBER not in view(registry, card, mother).cautions


def test_conflicts_placeholders_and_years_between_are_told(registry: Registry) -> None:
    old = record("station", "S", at="2012-01-05", full_name="Lê An", birth_date="1950-01-01", sex="Nam")
    new = record("hospital", "H", at="2025-01-05", full_name="Lê An", birth_date="1950-07-12", sex="Nữ")
    assert cautions(registry, old, new) == {Caution.SEX_CONFLICT, Caution.PLACEHOLDER_DATE, Caution.RECORDED_APART}


def test_a_pair_without_anything_odd_has_no_warning(registry: Registry) -> None:
    store(registry, [LAN, HUNG, MAI])
    assert view(registry, MAI[0], MAI[1]).cautions == ()


def test_a_number_that_many_share_is_told(registry: Registry) -> None:
    pair = [
        record("station", f"S{year}", full_name=f"Lê Văn {given}", birth_date=f"{year}-05-06", phone="0987215346")
        for year, given in ((1950, "Anh"), (1971, "Bình"))
    ]
    store(registry, [[each] for each in pair])
    assert Caution.SHARED_WIDELY not in view(registry, *pair).cautions
    row = SCORER.pack_records([standardise_record(pair[0], MODEL.fields)], registry.secret)
    offset = SCORER.layout.offset("phone", representation_of(MODEL.columns["phone"])) // 8
    with registry.begin() as uow:
        blocking_keys.add_capped(uow, "phone", row.view(np.uint64)[0, offset : offset + 1])
    found = view(registry, *pair)
    assert Caution.SHARED_WIDELY in found.cautions
    assert (found.capped, rows(found)["phone"].chip) == (("phone",), Chip.SAME)


def test_only_who_reviews_sees_pairs(registry: Registry) -> None:
    store(registry, [LAN])
    rules, question = OnlineRules(SCORER, registry.secret), PairQuestion(LAN[0].key, LAN[1].key)
    with pytest.raises(MissingRightError):
        pair_view(registry, rules, Actor("minh", Role.AUDITOR), question)


def test_a_record_that_there_is_not_is_refused_without_its_id(registry: Registry) -> None:
    store(registry, [LAN])
    rules = OnlineRules(SCORER, registry.secret)
    with pytest.raises(UnknownRecordError) as refused:
        pair_view(registry, rules, STEWARD, PairQuestion(LAN[0].key, RecordKey("hospital", "H999")))
    assert "H999" not in str(refused.value)
