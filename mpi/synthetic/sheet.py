"""A sheet: one chunk of records of one source while it is being typed, with what all its columns share."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from mpi.data import vn
from mpi.synthetic import text
from mpi.synthetic.errors import Desk
from mpi.synthetic.names import STYLE_CODES
from mpi.synthetic.numbers import old_mobile_prefixes
from mpi.synthetic.people import EPOCH, People, World
from mpi.synthetic.text import BoolArray, IntArray, Strings
from mpi.synthetic.visits import Visits, day_number

CHILD_AGE, GROWN_AGE, ELDER_AGE = 14, 18, 60
REFORM = day_number("2025-07-01")
OLD_FONTS_UNTIL = day_number("2020-01-01")
DATE_FORMATS = (
    "dd/mm/yyyy", "d/m/yyyy", "dd-mm-yyyy", "dd.mm.yyyy", "d/m/yy", "yyyy-mm-dd", "yyyymmdd", "yyyymmdd0000",
    "yyyymmddHHMM", "serial", "yyyy", "__/__/yyyy", "/yyyy", "yyyy00000000",
)  # fmt: skip
DATE_CODES = {name: code for code, name in enumerate(DATE_FORMATS)}
SEX_WORDS = ("Nam", "Nữ", "nam", "nu", "nữ", "Nu", "1", "2")
_LAST_DAY = day_number("2036-12-31")


def _date_forms(serial: int, year: int, month: int, day: int) -> tuple[str, ...]:
    """One date in the order of DATE_FORMATS; a spreadsheet's serial counts from 1899-12-30."""
    plain = f"{year}{month:02}{day:02}"
    return (
        f"{day:02}/{month:02}/{year}", f"{day}/{month}/{year}", f"{day:02}-{month:02}-{year}",
        f"{day:02}.{month:02}.{year}", f"{day}/{month}/{year % 100:02}",
        f"{year}-{month:02}-{day:02}", plain, plain + "0000", plain, str(serial + 2),
        str(year), f"__/__/{year}", f"/{year}", f"{year}00000000",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    """Lookup tables of dates, times and words, and the insurance card's group codes."""

    dates: Strings
    iso: Strings
    times: Strings
    sexes: Strings
    old_mobiles: IntArray
    groups: tuple[str, ...]
    group_cells: text.ByteGrid

    @property
    def days(self) -> int:
        """How many days one format's stretch of `dates` holds."""
        return len(self.iso)


@lru_cache(maxsize=1)
def make_tables() -> Tables:
    """Build the tables; takes about half a second."""
    dates = (EPOCH + np.arange(_LAST_DAY + 1)).astype(object)
    forms = [_date_forms(serial, d.year, d.month, d.day) for serial, d in enumerate(dates)]
    columns = list(zip(*forms, strict=True))
    groups = tuple(row["object_code"] + row["usual_benefit_digit"][0] for row in vn.rows("bhyt_object_codes"))
    return Tables(
        dates=pa.array([form for column in columns for form in column], pa.string()),
        iso=pa.array(columns[DATE_CODES["yyyy-mm-dd"]], pa.string()),
        times=pa.array([""] + [f"{m // 60:02}{m % 60:02}" for m in range(1440)], pa.string()),
        sexes=pa.array(SEX_WORDS, pa.string()),
        old_mobiles=old_mobile_prefixes(),
        groups=groups,
        group_cells=text.literal_grid(groups, 3),
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What every column of a chunk of records reads. Arrays have one row a record; `age` is in years at capture."""

    source: str
    people: People
    visits: Visits
    desk: Desk
    world: World
    tables: Tables
    age: text.FloatArray
    style: IntArray

    def of(self, column: IntArray) -> IntArray:
        """A column of people, seen from the records."""
        return column[self.visits.row]

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.visits)

    @property
    def no(self) -> BoolArray:
        """All rows false."""
        return np.zeros(self.size, dtype=np.bool_)


def name_styles(desk: Desk, visits: Visits) -> IntArray:
    """How each record's names are written: the source's case, then residue, encodings and lost marks."""
    style = desk.choose(desk.habits.styles, STYLE_CODES)
    upper = style == STYLE_CODES["upper"]
    for habit, rows in (
        ("tone", desk.share("old_tone_place")),
        ("nfd", desk.share("decomposed")),
        ("telex", desk.slips("telex")),
        ("vni_keys", desk.slips("vni_keys")),
        ("mojibake", desk.slips("utf8_mojibake")),
        ("lost", desk.slips("lost_letters")),
        ("bare", desk.slips("unaccented")),
    ):
        cased = STYLE_CODES.get(habit + "_upper", STYLE_CODES[habit])
        style = np.where(rows, np.where(upper, cased, STYLE_CODES[habit]), style)
    font = np.where(visits.site % 2 == 0, STYLE_CODES["tcvn3"], STYLE_CODES["vni_font"])
    return np.where(visits.legacy_site & (visits.day < OLD_FONTS_UNTIL) & desk.share("legacy_font"), font, style)
