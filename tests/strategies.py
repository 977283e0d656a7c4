"""Hypothesis strategies shared by all tests: Vietnamese names, birth dates, numbers and phones, clean and as clerks
write them.

Everything drawn is made up from the shipped tables; no value belongs to a person by intent.
"""

import unicodedata
from datetime import date

from hypothesis import strategies as st

from mpi.data.vn import rows

SURNAMES = tuple(row["surname"] for row in rows("surname_freq"))
MIDDLES = tuple(row["middle"] for row in rows("middle_name_freq"))
GIVENS = tuple(row["given"] for row in rows("given_name_freq"))
PROVINCES = tuple(row["code3"] for row in rows("cccd_province_codes"))
MOBILE_PREFIXES = tuple(sorted({row["prefix_3"] for row in rows("phone_mobile_prefixes")}))
WARD_CODES = tuple(
    sorted({row["old_ward_code"] for row in rows("admin_ward_map_2025_national") if row["old_ward_code"]})
)


@st.composite
def vietnamese_names(draw: st.DrawFn) -> str:
    """A full name in title case and NFC: surname, a middle part or none, given name."""
    parts = [draw(st.sampled_from(SURNAMES)), draw(st.sampled_from(("", *MIDDLES))), draw(st.sampled_from(GIVENS))]
    return " ".join(part for part in parts if part)


@st.composite
def written_names(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and the same name as another source writes it: case, normal form and spaces differ, the letters do
    not."""
    name = draw(vietnamese_names())
    written = draw(st.sampled_from((str.upper, str.lower, str.title)))(name)
    written = unicodedata.normalize(draw(st.sampled_from(("NFC", "NFD"))), written)
    return name, written.replace(" ", draw(st.sampled_from((" ", "  ", "\u00a0", "\t")))) + draw(
        st.sampled_from(("", " ", "."))
    )


birth_dates = st.dates(date(1920, 1, 1), date(2025, 12, 31))
"""Birth dates of people alive today."""

sexes = st.sampled_from(("M", "F"))

phones = st.builds(
    lambda prefix, rest: f"{prefix}{rest:07d}", st.sampled_from(MOBILE_PREFIXES), st.integers(0, 9_999_999)
)
"""National mobile numbers of ten digits."""

insurance_numbers = st.from_regex(r"(?:79|74|77|01)[0-9]{8}", fullmatch=True)
insurance_cards = st.builds(
    lambda group, benefit, province, number: f"{group}{benefit}{province}{number}",
    st.sampled_from(("DN", "GD", "HS", "TE", "HT")),
    st.integers(1, 5),
    st.sampled_from(("79", "74", "01")),
    insurance_numbers,
)
"""Fifteen characters, the last ten of which are the insurance number."""

ward_codes = st.sampled_from(WARD_CODES)
"""Ward codes of before July 2025."""


def citizen_number(born: date, sex: str, province: str, serial: int) -> str:
    """The twelve-digit number that the law gives: province, century and sex, year, serial (Decree 137/2015/NĐ-CP Art.
    13)."""
    century = 2 * (born.year // 100 - 19) + (sex == "F")
    return f"{province}{century}{born.year % 100:02d}{serial:06d}"


@st.composite
def citizens(draw: st.DrawFn) -> tuple[str, date, str]:
    """A citizen number with the birth date and the sex that it belongs to."""
    born, sex = draw(birth_dates), draw(sexes)
    return citizen_number(born, sex, draw(st.sampled_from(PROVINCES)), draw(st.integers(1, 999_998))), born, sex


@st.composite
def written_dates(draw: st.DrawFn, dates: st.SearchStrategy[date] = birth_dates) -> tuple[date, str]:
    """A date, and one of the ways in which sources write it with nothing lost."""
    moment = draw(dates)
    serial = (moment - date(1899, 12, 30)).days
    forms = [
        moment.isoformat(),
        f"{moment:%Y%m%d}",
        f"{moment:%Y%m%d}0000",
        f"{moment:%Y%m%d}0730",
        f"{moment:%d/%m/%Y}",
        f"{moment.day}/{moment.month}/{moment.year}",
        f"{moment:%d.%m.%Y}",
        f"{moment:%d-%m-%Y}",
        f"{moment:%d/%m/%Y} 07:30",
        f"{moment.isoformat()}T00:00:00Z",
        f"ngày {moment.day} tháng {moment.month} năm {moment.year}",
    ]
    if 20_000 <= serial < 60_000:
        forms += [str(serial), f"{serial}.0"]
    return moment, draw(st.sampled_from(forms))


@st.composite
def raw_records(draw: st.DrawFn) -> dict[str, str | None]:
    """One row of the canonical columns, some missing, some of them junk."""
    number, born, sex = draw(citizens())
    junk = st.one_of(st.none(), st.just(""), st.text(max_size=12))
    made = {
        "full_name": st.one_of(
            vietnamese_names(), written_names().map(lambda pair: pair[1]), st.just("CB Trần Thị Lan")
        ),
        "birth_date": written_dates(st.just(born)).map(lambda pair: pair[1]),
        "sex": st.sampled_from((sex, "1", "2", "Nam", "Nữ")),
        "citizen_id": st.sampled_from((number, number.lstrip("0"), f"{number}.0", "079180012345")),
        "health_insurance_number": st.one_of(insurance_cards, insurance_numbers),
        "phone": phones,
        "ward_code": ward_codes,
        "address": st.sampled_from(
            ("12/3 Lê Lợi, Phường Bến Nghé, Quận 1", "Tổ 5, ấp 3", "45A Nguyễn Trãi, P.14, Q.10")
        ),
        "mother_name": vietnamese_names(),
        "recorded_at": st.sampled_from(("2016-05-01", "2018-01-31", "2024-12-24", "20250801")),
    }
    return {column: draw(st.one_of(value, value, value, junk)) for column, value in made.items()}
