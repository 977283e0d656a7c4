import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.data.vn import rows
from mpi.standardise.addresses import (
    after_reform,
    standard_address,
    street_of_address,
    wards_of_address,
    wards_of_code,
)
from tests.strategies import ward_codes

STREETS = [
    ("123/45/6A Lê Lợi, Phường Bến Nghé, Quận 1, TP.HCM", "123/45/6a le loi"),
    ("Số 12 đường Nguyễn Trãi, P.14, Q.10", "12 nguyen trai"),
    ("12 Nguyễn Trãi P14 Q10 TPHCM", "12 nguyen trai"),
    ("12A, Lê Văn Sỹ, phường 1, quận Tân Bình", "12a le van sy"),
    ("12A-Lê Văn Sỹ - phường 1 - quận Tân Bình", "12a le van sy"),
    ("45 3 tháng 2, phường 12, quận 10", "45 3 thang 2"),
    ("123 đường số 7, KP3, Phường Linh Trung", "123 so 7"),
    ("12 Hồ Văn Huê, P.9", "12 ho van hue"),
    ("583 Tô Hiến Thành", "583 to hien thanh"),
    ("635C TỈNH LỘ 8, XÃ THANH TUYỀN", "635c tinh lo 8"),
    ("5 Xa lộ Hà Nội", "5 xa lo ha noi"),
    ("7 Lạc Long Quân P14 Q11", "7 lac long quan"),
    ("7 Nguyễn Tri Phương phường 8", "7 nguyen tri phuong"),
    ("467/90B Đường 30/4, Phường 14", "467/90b 30/4"),
    ("Số 5 ấp 3 xã Phước Kiển", "5 ap 3"),
    ("305/145 Khu phố 6, P.15", "305/145 khu pho 6"),
    ("Tổ 5, ấp 3, xã Bình Hưng", None),
    ("12, P.5", None),
    ("Lê Lợi", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("address", "street"), STREETS)
def test_house_number_and_street(address: str | None, street: str | None) -> None:
    assert street_of_address(address) == street


@pytest.mark.parametrize("street", sorted({street for _, street in STREETS if street}))
def test_streets_stand_for_themselves(street: str) -> None:
    assert street_of_address(street) == street


NAMED = [
    ("1 Lê Lợi, Phường Bến Nghé, Quận 1, TP.HCM", {"26740"}),
    ("P.14, Q.10", {"27163", "27169"}),
    ("P14 Q10 TPHCM", {"27163", "27169"}),
    ("phường 12, quận 10", {"27163"}),
    ("phường 1, quận Tân Bình", {"26977"}),
    ("Xã Bình Hưng, huyện Bình Chánh, TP. Hồ Chí Minh", None),
    ("Phường 14", None),
    ("Xã Tân Lập", None),
    ("Hồ Chí Minh", None),
]


@pytest.mark.parametrize(("address", "expected"), NAMED)
def test_wards_that_an_address_names(address: str, expected: set[str] | None) -> None:
    found = wards_of_address(address)
    if expected is None and "Bình Hưng" in address:
        expected = {
            row["new_ward_code"]
            for row in rows("admin_ward_map_2025_national")
            if row["old_ward"] == "Xã Bình Hưng" and row["old_district"] == "Huyện Bình Chánh"
        }
    assert (found and set(found)) == expected


@given(ward_codes, st.sampled_from(("{}", "237{}", "{}.0", " {} ")))
def test_an_old_code_gives_the_wards_that_it_went_into(code: str, habit: str) -> None:
    successors = {row["new_ward_code"] for row in rows("admin_ward_map_2025_national") if row["old_ward_code"] == code}
    found = wards_of_code(habit.format(code))
    assert found is not None
    assert set(found) <= successors
    assert len(found) == min(3, len(successors))
    assert found == tuple(sorted(found))


@given(st.sampled_from([row["ward_code"] for row in rows("admin_wards_2025_07")]))
def test_a_new_code_of_after_the_reform_stands_for_itself(code: str) -> None:
    assert wards_of_code(code, True) == (code,)
    assert code in (wards_of_code(code) or ())


def test_the_code_comes_before_the_text() -> None:
    assert standard_address("26743", "1 Lê Lợi, P.14, Q.10") == (wards_of_code("26743"), "1 le loi")
    assert standard_address("99999", "1 Lê Lợi, P.14, Q.10") == (("27163", "27169"), "1 le loi")
    assert standard_address(None, None) == (None, None)


def test_the_reform_began_in_july_2025() -> None:
    days = ("2025-06-30", "2025-07-01", "2024", "2026", "", None)
    assert [after_reform(day) for day in days] == [False, True, False, True, None, None]


@given(st.text(), st.text())
def test_no_text_is_too_strange(ward: str, address: str) -> None:
    wards, street = standard_address(ward, address)
    assert wards is None or 0 < len(wards) <= 3
    assert street is None or street.isascii()
