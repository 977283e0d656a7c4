"""Where people live: wards before and after July 2025, streets, and addresses as each source writes them.

A place is one row of the ward map (old ward, new ward). City places come first, then the rest of the country.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from mpi.data import vn
from mpi.synthetic import text
from mpi.synthetic.names import Drawer
from mpi.synthetic.text import BoolArray, IntArray, Strings

CITY = "79"
STREETS = (
    "Nguyễn Trãi", "Lê Lợi", "Nguyễn Huệ", "Cách Mạng Tháng Tám", "Điện Biên Phủ", "Võ Văn Tần",
    "Lý Thường Kiệt", "Nguyễn Thị Minh Khai", "Hai Bà Trưng", "Trần Hưng Đạo", "Lê Văn Sỹ", "Nguyễn Đình Chiểu",
    "Phan Xích Long", "Quang Trung", "Phan Văn Trị", "Lê Quang Định", "Nơ Trang Long", "Bạch Đằng",
    "Xô Viết Nghệ Tĩnh", "Đinh Tiên Hoàng", "Tô Hiến Thành", "Sư Vạn Hạnh", "Ngô Gia Tự", "Hùng Vương",
    "An Dương Vương", "Hồng Bàng", "Hậu Giang", "Kinh Dương Vương", "Âu Cơ", "Lạc Long Quân", "Trường Chinh",
    "Cộng Hòa", "Hoàng Văn Thụ", "Phạm Văn Đồng", "Võ Văn Ngân", "Kha Vạn Cân", "Đặng Văn Bi", "Lê Văn Việt",
    "Đỗ Xuân Hợp", "Nguyễn Duy Trinh", "Huỳnh Tấn Phát", "Nguyễn Thị Thập", "Lê Văn Lương", "Phạm Hùng",
    "Tạ Quang Bửu", "Dương Bá Trạc", "Tùng Thiện Vương", "Bình Long", "Lũy Bán Bích", "Tân Kỳ Tân Quý",
    "Lê Trọng Tấn", "Tây Thạnh", "Nguyễn Ảnh Thủ", "Tô Ký", "Hà Huy Giáp", "Lê Đức Thọ", "Nguyễn Oanh",
    "Thống Nhất", "Phan Huy Ích", "Tỉnh lộ 8", "Quốc lộ 22", "Đại lộ Bình Dương", "Cách Mạng Tháng Tư", "Ba Cu",
    "Trương Công Định", "Lê Hồng Phong", "Đường số 3", "Đường số 7", "Đường số 12", "Đường 30/4", "Ấp 1",
    "Ấp 3", "Ấp Tân Hòa", "Tổ 5 Khu phố 2", "Tổ 12 Khu phố 4", "Khu phố 6",
)  # fmt: skip
ADDRESS_STYLES = ("title", "upper", "bare", "short")
_SHORT = (
    ("Phường ", "P."),
    ("Quận ", "Q."),
    ("Thành phố Hồ Chí Minh", "TPHCM"),
    ("Thành phố ", "TP."),
    ("Huyện ", "H."),
    ("Xã ", "X."),
    ("Tỉnh ", ""),
)


@dataclass(frozen=True, slots=True)
class Places:
    """The map's rows as lookup tables; `old_code` and `new_code` are five-digit ward codes as numbers."""

    old_code: IntArray
    new_code: IntArray
    old_province: IntArray
    city: int
    by_weight: Drawer
    neighbour: IntArray
    of_province: dict[int, IntArray]
    streets: Strings
    tails: Strings

    def draw(self, rng: np.random.Generator, count: int) -> IntArray:
        """City places by population."""
        return self.by_weight.draw(rng, count)

    def draw_in_province(self, rng: np.random.Generator, province: IntArray) -> IntArray:
        """A place anywhere in each row's province (two-digit code before 2025); -1 where the map has none."""
        place = np.full(len(province), -1, dtype=np.int64)
        for code in np.unique(province):
            rows = np.flatnonzero(province == code)
            known = self.of_province.get(int(code))
            if known is not None:
                place[rows] = known[rng.integers(0, len(known), len(rows))]
        return place

    def address(
        self, house: IntArray, place: IntArray, *, style: IntArray, reformed: BoolArray, short: BoolArray
    ) -> Strings:
        """Addresses; `house` is the number of a house (see `house_grid`), `short` leaves ward and city out."""
        none = np.zeros(len(house), dtype=np.bool_)
        street = text.take(self.streets, style * len(STREETS) + street_of(house) % len(STREETS))
        size = len(self.old_code)
        tail = text.take(self.tails, np.where(short, 8 * size, (style * 2 + reformed) * size + place))
        return text.join([text.grid_strings(house_grid(house), none), street, tail])


def street_of(house: IntArray) -> IntArray:
    """The street of a house: a fixed function of its number."""
    return (house // 64) % 1_000_003


def house_grid(house: IntArray) -> text.ByteGrid:
    """House numbers such as 12, 123/45 or 123/45/6A: alleys within alleys for two houses in three."""
    kind, rest = house % 8, house // 8
    number = text.plain_digits(1 + rest % 799, 3)
    alley = text.plain_digits(np.where(kind >= 3, 1 + rest // 800 % 199, 0), 3)
    inner = text.plain_digits(np.where(kind >= 6, 1 + rest // 160_000 % 60, 0), 2)
    letter = np.where(rest % 11 == 0, 65 + rest % 4, 0).astype(np.uint8)[:, None]
    slashes = [np.where(kind >= shown, ord("/"), 0).astype(np.uint8)[:, None] for shown in (3, 6)]
    return np.hstack([number, slashes[0], alley, slashes[1], inner, letter])


def _short(tail: str) -> str:
    for long, brief in _SHORT:
        tail = tail.replace(long, brief)
    return tail


@lru_cache(maxsize=1)
def make_places() -> Places:
    """Build the tables from the national ward map; city wards first. Weights of wards are fixed, log-normal."""
    known = [row for row in vn.rows("admin_ward_map_2025_national") if row["old_ward_code"] and row["new_ward_code"]]
    rows = sorted(known, key=lambda row: row["new_province_code"] != CITY)
    city = sum(row["new_province_code"] == CITY for row in rows)
    old = [f", {row['old_ward']}, {row['old_district']}, {row['old_province']}" for row in rows]
    new = [f", {row['new_ward']}, {row['new_province']}" for row in rows]
    writers = (str, str.upper, text.bare, _short)
    tails = [write(tail) for write in writers for side in (old, new) for tail in side] + [""]
    streets = [write(" " + street) for write in writers for street in STREETS]
    province = np.array([int(row["old_province_code"]) for row in rows], dtype=np.int64)
    weights = np.random.default_rng(79).lognormal(0.0, 0.7, city)
    weights *= np.where(province[:city] == 79, 1.5, 0.8)
    order = np.lexsort(
        ([int(row["old_ward_code"]) for row in rows], [int(row["old_district_code"] or 0) for row in rows])
    )
    neighbour = np.empty(len(rows), dtype=np.int64)
    neighbour[order] = order[np.r_[1 : len(rows), len(rows) - 2]]
    return Places(
        old_code=np.array([int(row["old_ward_code"]) for row in rows], dtype=np.int64),
        new_code=np.array([int(row["new_ward_code"]) for row in rows], dtype=np.int64),
        old_province=province,
        city=city,
        by_weight=Drawer.of(dict(enumerate(weights.tolist()))),
        neighbour=neighbour,
        of_province={int(code): np.flatnonzero(province == code) for code in np.unique(province)},
        streets=pa.array(streets, pa.string()),
        tails=pa.array(tails, pa.string()),
    )
