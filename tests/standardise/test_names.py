import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi.standardise.names import StandardName, mother_of_newborn, name_beside_mother, numbered_name, standard_name
from mpi.standardise.placeholders import is_placeholder_name
from tests.strategies import vietnamese_names, written_names

NOTHING = StandardName(*(None,) * 13)

READ = [
    ("NGUYỄN THỊ  LAN", "nguyễn thị lan", "nguyen thi lan"),
    ("Nguyễn Văn\u00a0Nam.", "nguyễn văn nam", "nguyen van nam"),
    ("Ｎguyễn Văn Nam", "nguyễn văn nam", "nguyen van nam"),
    ("Nguyễn\u200b Văn Nam", "nguyễn văn nam", "nguyen van nam"),
    ("Ðặng Hoà", "đặng hòa", "dang hoa"),
    ("tran van an", None, "tran van an"),
    ("Trần Văn An (A)", "trần văn an", "tran van an"),
    ("Trần Văn An - HS", "trần văn an", "tran van an"),
    ("Trần Văn An - 6A1", "trần văn an", "tran van an"),
    ("Trần Văn An 2", "trần văn an", "tran van an"),
    ("Trần Văn An2", "trần văn an", "tran van an"),
    ("Trần Văn An sinh năm 1990", "trần văn an", "tran van an"),
    ("Họ và tên: Trần Văn An", "trần văn an", "tran van an"),
    ("BN Trần Văn An", "trần văn an", "tran van an"),
    ("BN: TRẦN VĂN AN", "trần văn an", "tran van an"),
    ("Ng. Văn An", "nguyễn văn an", "nguyen van an"),
    ("Ng Van An", None, "nguyen van an"),
    ("Nguyeenx Vawn Dduwcs", "nguyễn văn đức", "nguyen van duc"),
    ("Nguye6n4 Va8n Hu7o7ng", "nguyễn văn hương", "nguyen van huong"),
    ("NguyÔn V¨n H\u00ad¬ng", "nguyễn văn hương", "nguyen van huong"),
    ("Vuõ Thò Lan", "vũ thị lan", "vu thi lan"),
    ("Nguyá»…n VÄƒn Tuáº¥n", "nguyễn văn tuấn", "nguyen van tuan"),
    ("Nguy?n V?n An", None, "nguyen van an"),
    ("Hu?nh Đức Kiên", None, "huynh duc kien"),
    ("Pham5 Phu7o7ng Tma6", None, "pham phuong tma"),
    ("Buøi Cẩm Vân", "bùi cẩm vân", "bui cam van"),
    ("H' Hen Niê", "h hen niê", "h hen nie"),
    ("H'Hen Niê", "h hen niê", "h hen nie"),
    ("Y Bhin Niê", "y bhin niê", "y bhin nie"),
    ("Congo Lan", None, "congo lan"),
    ("SMITH JOHN", None, "smith john"),
    ("Jean-Pierre Dupont", None, "jean pierre dupont"),
    ("Bế Văn Đàn", "bế văn đàn", "be van dan"),
    ("Võ Danh", "võ danh", "vo danh"),
    ("Nguyễn Văn Côn", "nguyễn văn côn", "nguyen van con"),
]


@pytest.mark.parametrize(("written", "accented", "folded"), READ)
def test_a_name_is_read_whatever_its_damage(written: str, accented: str | None, folded: str) -> None:
    name = standard_name(written)
    assert (name.accented, name.folded) == (accented, folded)


UNKNOWN = (
    "VÔ DANH",
    "vo danh",
    "KHÔNG RÕ",
    "Chưa rõ",
    "NGƯỜI LẠ",
    "BỆNH NHÂN NAM",
    "Bệnh nhân nữ 30 tuổi",
    "TEST",
    "NGUYỄN VĂN A",
    "Trần Thị B",
    "null",
    "N/A",
    "",
    "   ",
    "\x00",
    ".",
    "---",
    "123",
    "???",
)


@pytest.mark.parametrize("written", UNKNOWN)
def test_placeholders_are_no_names(written: str) -> None:
    assert standard_name(written) == NOTHING


NEWBORNS = [
    ("CON BÀ NGUYỄN THỊ LAN", "nguyen thi lan"),
    ("Con của bà Nguyễn Thị Lan", "nguyen thi lan"),
    ("CB TRẦN THỊ BÉ 1/2", "tran thi be"),
    ("C/B Trần Thị Bé", "tran thi be"),
    ("BÉ GÁI LÊ THỊ HOA", "le thi hoa"),
    ("Bé trai Lê Thị Hoa 2", "le thi hoa"),
    ("BG LÊ THỊ HOA", "le thi hoa"),
    ("LÊ THỊ HOA CON 1/2", "le thi hoa"),
    ("Lê Thị Hoa (con 2)", "le thi hoa"),
    ("Bé Nguyễn Thị Lan", "nguyen thi lan"),
    ("CON THỨ 2 CỦA LÊ THỊ HOA", "le thi hoa"),
    ("BÉ TRAI 1 CON BÀ LÊ THỊ HOA", "le thi hoa"),
    ("Con trai bà Lê Thị Hoa", "le thi hoa"),
    ("Sơ sinh con bà Lê Thị Hoa", "le thi hoa"),
    ("Lê Thị Hoa - Con 1", "le thi hoa"),
    ("LÊ THỊ HOA (CB)", "le thi hoa"),
    ("BÉ GÁI", None),
    ("Con bà", None),
]


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("CB TRẦN THỊ BÉ 1/2", "1"),
        ("Con bà Trần Thị Bé 2", "2"),
        ("CON THỨ 2 CỦA LÊ THỊ HOA", "2"),
        ("con thu 3 ba Le Thi Hoa", "3"),
        ("BÉ TRAI 1 CON BÀ LÊ THỊ HOA", "1"),
        ("Bé gái 2 Lê Thị Hoa", "2"),
        ("Lê Thị Hoa (con 2)", "2"),
        ("Lê Thị Hoa - Con 1", "1"),
        ("CON BÀ LÊ THỊ HOA", "0"),
        ("CON BÀ LÊ THỊ HOA 12", "0"),
        ("Lê Thị Hoa sinh 2012", "0"),
        ("Lê Thị Hoa", "0"),
        ("BÉ GÁI 2", None),
        ("không rõ 1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_digit_of_a_newborn_twin_is_kept(written: str | None, order: str | None) -> None:
    name, digit = numbered_name(written)
    assert name == standard_name(written)
    assert digit == order
    assert name_beside_mother((name, digit), standard_name(None)) == (*name, order)


@pytest.mark.parametrize("written", ["LÊ THỊ HOA", "le thi hoa", "Lê Thị Hoa 2"])
def test_the_mothers_own_name_is_not_the_childs(written: str) -> None:
    numbered = numbered_name(written)
    beside = name_beside_mother(numbered, standard_name("Lê Thị Hoa"))
    assert beside == (*NOTHING._replace(mother="le thi hoa"), numbered[1])
    assert name_beside_mother(numbered, standard_name("Lê Thị Hòa An"))[:-1] == standard_name(written)


@pytest.mark.parametrize(("written", "mother"), NEWBORNS)
def test_a_newborn_has_only_a_mother(written: str, mother: str | None) -> None:
    assert standard_name(written) == NOTHING._replace(mother=mother)


def test_the_parts_of_a_name() -> None:
    name = standard_name("Huỳnh Thị Xuân Quý")
    assert (name.surname, name.middle, name.given) == ("huynh", "thi xuan", "quy")
    assert (name.initials, name.sorted) == ("htxq", "huynh quy thi xuan")
    assert (name.surname_dialect, name.given_dialect, name.dialect) == ("hoan", "qui", "hoan thi suan qui")
    assert standard_name("Lan")[2:9] == ("lan", "lan", None, None, "lan", "lan", None)
    assert standard_name("Lê Hoa").middle is None


def test_a_slip_of_the_pen_seldom_makes_another_name() -> None:
    written = ("Lê Thị Trang", "LE THI TRANG", "Lê Thị Trảng", "Lê Thị Tramg", "Lê Vân Quí", "Lê Vân Quý")
    assert [standard_name(name).given_known for name in written] == ["trang", "trang", None, None, "quí", "quí"]


ALIKE = [
    ("Hoàng Văn Lý", "Huỳnh Văn Lí"),
    ("Võ Văn Phúc", "Vũ Văn Phước"),
    ("Trần Sương", "Chần Xương"),
    ("Lê Nam", "Lê Lam"),
    ("Lê Diệu", "Lê Giệu"),
    ("Lê Đạt", "Lê Đạc"),
    ("Phan Nhật", "Phang Nhựt"),
    ("Lê Hạnh", "Lê Hạn"),
]


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_dialect_forms_meet(left: str, right: str) -> None:
    assert standard_name(left).dialect == standard_name(right).dialect
    assert standard_name(left).folded != standard_name(right).folded


DIFFERENT = [
    ("Lê Long", "Lê Lân"),
    ("Lê Ngọc Lan", "Lê Ngọc Linh"),
    ("Lê Hồng", "Lê Hương"),
    ("Võ An", "Đỗ An"),
    ("Lê Duy", "Lê Duyên"),
]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_names_of_different_people_stay_apart(left: str, right: str) -> None:
    assert standard_name(left).dialect != standard_name(right).dialect


NEUTRAL = [
    ("Hoà", "Hòa"),
    ("Thuý", "Thúy"),
    ("Khoẻ", "Khỏe"),
    ("Lí", "Lý"),
    ("Sĩ", "Sỹ"),
    ("Quí", "Quý"),
    ("Hải", "Hãi"),
    ("Mỹ", "Mỷ"),
]


@pytest.mark.parametrize(("left", "right"), NEUTRAL)
def test_spelling_habits_are_neutral(left: str, right: str) -> None:
    assert standard_name(f"Lê {left}").neutral == standard_name(f"Lê {right}").neutral


@pytest.mark.parametrize(("left", "right"), NEUTRAL[:3])
def test_tone_placement_does_not_show_in_the_accented_form(left: str, right: str) -> None:
    assert standard_name(f"Lê {left}").accented == standard_name(f"Lê {right}").accented


@pytest.mark.parametrize(
    ("written", "mother"),
    [
        ("CB Bùi Thị My Sang", "bui thi my sang"),
        ("Nguyễn Thị Hoa con 1/2", "nguyen thi hoa"),
        ("CON CỦA PHAN KIỀU ANH", "phan kieu anh"),
        ("Nguyễn Thị Bé", None),
        ("Nguyễn Thị Hoa", None),
        (None, None),
    ],
)
def test_a_newborns_mother_is_read_out_of_its_name(written: str | None, mother: str | None) -> None:
    assert mother_of_newborn(written) == mother


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ä\x90áº·ng Thá»‹ ThÃºy Hiá»\x81n", "dang thi thuy hien"),
        ("Äáº·ng Thá»‹ ThÃºy Hiá»n", "?ang thi thuy hien"),
        ("Pháº¡m TrÆ°á»\ufffdng NguyÃªn", "pham truong nguyen"),
    ],
)
def test_misread_unicode_is_read_again_even_where_letters_were_lost(written: str, folded: str) -> None:
    assert standard_name(written).folded == folded


def test_an_abbreviated_middle_name_is_none() -> None:
    assert standard_name("Nguyễn T. Kim") == standard_name("Nguyễn Kim")
    assert standard_name("LÊ V.T. HOA").folded == "le hoa"
    assert standard_name("Lê Ý Nhi").middle == "y"
    assert standard_name("Y Bhin Niê").folded == "y bhin nie"


@given(written_names())
def test_case_spaces_and_normal_form_do_not_matter(pair: tuple[str, str]) -> None:
    assert standard_name(pair[1]) == standard_name(pair[0])


@given(vietnamese_names())
def test_standard_forms_stand_for_themselves(written: str) -> None:
    name = standard_name(written)
    assert name.folded is not None
    assert name.dialect is not None
    again = standard_name(name.accented or name.folded)
    assert again == name
    if not is_placeholder_name(name.folded, name.folded):
        assert standard_name(name.folded).folded == name.folded
        assert standard_name(name.folded).dialect == name.dialect
    assert name.folded.isascii()
    assert name.accented is None or unicodedata.is_normalized("NFC", name.accented)


@given(st.text())
def test_no_text_is_too_strange(written: str) -> None:
    name = standard_name(written)
    for form in name._replace(accented=None, neutral=None, given_known=None):
        assert form is None or (form.isascii() and form == form.strip() and form)


def test_very_long_junk_is_cut() -> None:
    assert len(standard_name("Nguyễn " * 20_000).folded or "") < 500
    assert len(standard_name("\u0301x?(" * 25_000).folded or "") < 500
