import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpi.standardise.dates import parse_birth_date
from mpi.synthetic.habits import DEFAULT
from mpi.synthetic.number_columns import CITIZEN_FILLERS
from mpi.synthetic.people import EPOCH, People, World
from mpi.synthetic.sheet import Tables
from tests.synthetic.typing_desk import only, typed

Typed = Callable[..., tuple[list[dict[str, Any]], np.ndarray]]
ALWAYS = 1.0  # a slip is never surer than 0.9


@pytest.fixture(scope="module")
def type_out(world: World, tables: Tables, people: People) -> Typed:
    first = people.head(2_000)

    def out(source: str, **rates: float) -> tuple[list[dict[str, Any]], np.ndarray]:
        records, visits = typed(world, tables, first, source, only(source, rates))
        return records.to_pylist(), visits.row

    return out


def share_of(rows: list[dict[str, Any]], column: str, test: Callable[[str], object]) -> float:
    values = [row[column] for row in rows if row[column] is not None]
    return float(np.mean([bool(test(value)) for value in values]))


def test_without_slips_everything_is_right(type_out: Typed, people: People, world: World) -> None:
    rows, at = type_out("student")
    words = world.names.words
    for row, r in zip(rows, at, strict=True):
        name = " ".join(w for w in (words[people.surname[r]], words[people.middle[r]], words[people.given[r]]) if w)
        assert row["full_name"].lower() == name.lower()
        date = EPOCH + people.birth[r]
        if row["birth_date"].isdigit():
            assert np.datetime64("1899-12-30") + int(row["birth_date"]) == date
        else:
            read = parse_birth_date(row["birth_date"])
            assert read.iso == str(date) or (read.day is None and str(date) == f"{read.year}-01-01")
        assert row["citizen_id"] == f"{people.citizen[r]:012}"
        assert row["health_insurance_number"][-10:] == f"{people.insurance[r]:010}"
        assert row["sex"] in (("Nam", "nam", "1") if people.sex[r] == 1 else ("Nữ", "nu", "2"))
        assert re.fullmatch(r"0\d{9}", row["phone"])
        assert re.fullmatch(r"\d{5}", row["ward_code"])
        assert row["address"].count(",") >= 2
        assert row["mother_name"] or people.year[r] <= 2008
        assert row["recorded_at"] >= "2023-08-01"


@pytest.mark.parametrize("source", list(DEFAULT))
def test_a_child_carries_a_parents_phone(type_out: Typed, people: People, source: str) -> None:
    rows, at = type_out(source)
    own = {f"0{people.phone[r]}" for r in range(2_000)} | {f"0{people.former_phone[r]}" for r in range(2_000)}
    shared = [
        row["phone"] in {f"0{number}" for number in (people.phone[c], people.former_phone[c])}
        for row, c, r in zip(rows, people.contact[at], at, strict=True)
        if people.year[r] > 2012 and row["recorded_at"] > "2019" and c >= 0
    ]
    assert np.mean(shared) > 0.7
    assert {row["phone"] for row in rows if row["recorded_at"] > "2019"} <= own


CASES = [
    ("hospital", "unaccented", "full_name", str.isascii, 0.88),
    ("student", "middle_dropped", "full_name", lambda v: v.count(" ") == 1, 0.88),
    ("student", "telex", "full_name", lambda v: re.search(r"[fjwzx]\b|aa|ee|oo|uw|ow", v), 0.6),
    ("hospital", "lost_letters", "full_name", lambda v: "?" in v, 0.8),
    ("hospital", "utf8_mojibake", "full_name", lambda v: "Ã" in v or "á»" in v or "Ä" in v or "Æ" in v, 0.8),
    ("hospital", "unknown_patient", "full_name", lambda v: v.title() in ("Vô Danh", "Không Rõ", "Bệnh Nhân Nam"), 1.0),
    ("student", "name_suffix", "full_name", lambda v: re.search(r"\([AB]\)$|- HS$|\.$", v), 1.0),
    ("insurance", "sentinel_date", "birth_date", lambda v: "1900" in v or "1970" in v, 0.75),
    ("student", "citizen_filler", "citizen_id", CITIZEN_FILLERS.__contains__, 0.85),
    ("student", "citizen_temporary", "citizen_id", lambda v: v.startswith("99"), 0.88),
    ("insurance", "citizen_zero_lost", "citizen_id", lambda v: not v.startswith("0"), 0.85),
    ("insurance", "citizen_decimal", "citizen_id", lambda v: v.endswith(".0"), 0.88),
    ("insurance", "citizen_spaced", "citizen_id", lambda v: " " in v, 0.88),
    ("insurance", "insurance_ten", "health_insurance_number", lambda v: re.fullmatch(r"\d{10}", v), 0.99),
    ("insurance", "insurance_list", "health_insurance_number", lambda v: re.fullmatch(r"\w{15};\w{15}", v), 0.3),
    ("hospital", "phone_plus84", "phone", lambda v: v.startswith("+84"), 1.0),
    ("hospital", "phone_dotted", "phone", lambda v: "." in v or " " in v, 1.0),
    ("hospital", "phone_labelled", "phone", lambda v: "(" in v or "-" in v, 1.0),
    ("hospital", "phone_two", "phone", lambda v: ";" in v, 0.6),
    ("student", "phone_zero_lost", "phone", lambda v: not v.startswith("0"), 0.88),
    ("hospital", "phone_site", "phone", lambda v: v.startswith("028"), 0.88),
    ("hospital", "ward_raw", "ward_code", lambda v: re.fullmatch(r"2\d{7}", v), 0.88),
    ("student", "address_short", "address", lambda v: "," not in v, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("source", "rate", "column", "test", "least"), CASES, ids=[case[1] for case in CASES])
def test_a_habit_shows_in_its_column(
    type_out: Typed, source: str, rate: str, column: str, test: Callable[[str], object], least: float
) -> None:
    clean, _ = type_out(source)
    erring, _ = type_out(source, **{rate: ALWAYS})
    assert share_of(erring, column, test) >= least - 0.04
    assert share_of(clean, column, test) < 0.2


CHANGES = [
    ("order_swapped", "full_name", 0.85), ("given_typo", "full_name", 0.8), ("surname_typo", "full_name", 0.8),
    ("dialect", "full_name", 0.3), ("middle_typo", "full_name", 0.7), ("wrong_given", "full_name", 0.5),
    ("iy_or_region", "full_name", 0.02), ("day_slip", "birth_date", 0.6), ("month_slip", "birth_date", 0.6),
    ("year_slip", "birth_date", 0.8), ("other_date", "birth_date", 0.8), ("day_month_swapped", "birth_date", 0.2),
    ("visit_as_birth", "birth_date", 0.85), ("sex_wrong", "sex", 0.85), ("citizen_digit", "citizen_id", 0.85),
    ("citizen_transposed", "citizen_id", 0.7), ("citizen_other_field", "citizen_id", 0.85),
    ("insurance_digit", "health_insurance_number", 0.85), ("insurance_transposed", "health_insurance_number", 0.7),
    ("insurance_filler", "health_insurance_number", 0.85), ("insurance_old_card", "health_insurance_number", 0.1),
    ("phone_digit", "phone", 0.85), ("phone_filler", "phone", 0.85), ("phone_relative", "phone", 0.3),
    ("ward_wrong", "ward_code", 0.6), ("ward_stale", "ward_code", 0.1), ("home_province", "ward_code", 0.2),
    ("mother_typo", "mother_name", 0.8), ("father_for_mother", "mother_name", 0.85),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "column", "least"), CHANGES, ids=[case[0] for case in CHANGES])
def test_a_slip_changes_its_column(type_out: Typed, rate: str, column: str, least: float) -> None:
    kept = {"mother_of_adult": ALWAYS} if column == "mother_name" else {}
    clean, _ = type_out("insurance", **kept)
    erring, _ = type_out("insurance", **kept, **{rate: ALWAYS})
    changed = [a[column] != b[column] for a, b in zip(clean, erring, strict=True) if a[column] and b[column]]
    assert np.mean(changed) >= least


MISSING = [
    ("date_missing", "birth_date"), ("sex_missing", "sex"), ("insurance_missing", "health_insurance_number"),
    ("phone_missing", "phone"), ("ward_missing", "ward_code"), ("address_missing", "address"),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "column"), MISSING)
def test_values_go_missing_at_their_rate(type_out: Typed, rate: str, column: str) -> None:
    rows, _ = type_out("hospital", **{rate: 0.3})
    assert np.mean([row[column] is None for row in rows]) == pytest.approx(0.3, abs=0.05)


def test_a_site_gives_one_phone_for_many(type_out: Typed) -> None:
    for source, most in (("student", 124), ("hospital", 130)):
        rows, _ = type_out(source, phone_site=ALWAYS)
        phones = [row["phone"] for row in rows]
        common = {phone for phone in phones if phones.count(phone) > 1}
        assert np.mean([phone in common for phone in phones]) > 0.7
        assert len(common) <= most + 30


def test_parents_numbers_stand_on_children_only(type_out: Typed, people: People) -> None:
    rows, at = type_out("student", citizen_parent=ALWAYS)
    parents = {f"{people.citizen[c]:012}" for c in people.contact[at] if c >= 0}
    child = people.year[at] > 2010
    assert np.mean([row["citizen_id"] in parents for row, young in zip(rows, child, strict=True) if young]) > 0.8


def test_nine_digit_cards_are_those_of_their_holder(type_out: Typed, people: People) -> None:
    rows, at = type_out("insurance", nine_digit_early=ALWAYS)
    nine = [(row["citizen_id"], r) for row, r in zip(rows, at, strict=True) if len(row["citizen_id"] or "") == 9]
    assert len(nine) > 100
    assert all(value == f"{people.card[r]:09}" for value, r in nine)
    assert all(row["recorded_at"] < "2021-06-01" for row in rows if len(row["citizen_id"] or "") == 9)


def test_mobiles_before_september_2018_are_long(type_out: Typed) -> None:
    rows, _ = type_out("hospital")
    long = [row["recorded_at"] for row in rows if row["phone"] and len(row["phone"]) == 11]
    assert len(long) > 50
    assert max(long) < "2018-09-15"


def test_personal_numbers_serve_as_insurance_numbers_from_august_2025(type_out: Typed, people: People) -> None:
    rows, at = type_out("insurance", insurance_citizen=ALWAYS)
    for row, r in zip(rows, at, strict=True):
        if row["recorded_at"] >= "2025-08-01":
            assert row["health_insurance_number"] == f"{people.citizen[r]:012}"
        else:
            assert len(row["health_insurance_number"]) == 15


def test_the_card_of_an_infant_is_te1(type_out: Typed, people: People) -> None:
    rows, at = type_out("insurance")
    groups = {
        row["health_insurance_number"][:3]
        for row, r in zip(rows, at, strict=True)
        if int(row["recorded_at"][:4]) - people.year[r] < 5
    }
    assert groups == {"TE1"}


def test_newborns_stand_under_their_mothers_name(type_out: Typed, world: World, people: People) -> None:
    rows, at = type_out("hospital", newborn_under_mother=ALWAYS)
    found = 0
    for row, r in zip(rows, at, strict=True):
        born = EPOCH + people.birth[r]
        if (np.datetime64(row["recorded_at"]) - born).astype(int) <= 28:
            found += 1
            mother = " ".join(world.names.words[part] for part in people.mother_name[r] if part)
            assert mother.lower() in row["full_name"].lower()
            assert row["citizen_id"] is None
            assert row["health_insurance_number"].startswith("TE1")
    assert found > 10


def test_former_names_stand_where_the_habit_says(type_out: Typed, world: World, people: People) -> None:
    rows, at = type_out("insurance", former_name=ALWAYS)
    renamed = [(row["full_name"], r) for row, r in zip(rows, at, strict=True) if people.former_given[r]]
    assert renamed
    assert all(name.lower().endswith(world.names.words[people.former_given[r]].lower()) for name, r in renamed)


def test_people_of_whom_only_the_year_is_known(type_out: Typed, people: People) -> None:
    rows, at = type_out("station", first_january=0.5)
    old = [row["birth_date"] for row, r in zip(rows, at, strict=True) if people.year_only[r]]
    assert len(old) > 30
    bare = [bool(re.fullmatch(r"(__/__/|/)?\d{4}", value)) for value in old]
    assert 0.3 < np.mean(bare) < 0.7
    assert all(
        re.search(r"^0?1[/.-]0?1[/.-]\d{2,4}$|^\d{4}-01-01$", value)
        for value, b in zip(old, bare, strict=True)
        if not b
    )
