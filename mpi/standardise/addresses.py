"""Wards as sets of five-digit codes of July 2025, and the house number with its street.

An old ward may lie in several new ones and every code needs a date, so a ward is a set: weak evidence for, none
against.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from mpi.data.vn import rows
from mpi.standardise.dates import parse_date
from mpi.standardise.text import capped, folded, without_invisibles

MAXIMUM_WARDS = 3

_KEPT = b"abcdefghijklmnopqrstuvwxyz0123456789/,"
_NOISE = bytes(octet if octet in _KEPT else ord(",") if octet == ord(";") else ord(" ") for octet in range(256))
_SPACED_SLASH = re.compile(r"\s*/\s*")
_KINDS = {
    "phuong": "phuong", "p": "phuong", "xa": "xa", "x": "xa", "thi tran": "thi tran", "tt": "thi tran",
    "dac khu": "dac khu",
    "quan": "quan", "q": "quan", "huyen": "huyen", "h": "huyen", "thi xa": "thi xa", "tx": "thi xa",
    "thanh pho": "thanh pho",
    "tp": "thanh pho", "tinh": "tinh", "t": "tinh",
}  # fmt: skip
_WARD_KINDS = frozenset(("phuong", "xa", "thi tran", "dac khu"))
_DISTRICT_KINDS = frozenset(("quan", "huyen", "thi xa", "thanh pho"))
_UNIT = re.compile(
    r"^(phuong|thi tran|dac khu|quan|huyen|thi xa|thanh pho|tinh|xa|tp|tt|tx|p|x|q|h|t)(?: (?=\S)|(?=\d))(.+)$"
)
_UNIT_INSIDE = re.compile(
    r" (?=(?:phuong|thi tran|dac khu|quan|huyen|thi xa|thanh pho|tinh|xa|tp|tt|tx|[pqhx])(?: \S|\d)|tphcm)"
)
_HOUSE = re.compile(
    r"(?:(?:so nha|nha so|so|sn|nha|hem|ngo|kiet|dia chi) )*(\d+[a-z]{0,2}(?:/\d*[a-z]{0,2})*)"
    r"(?: (?=[a-z])| (?=\d{1,3} [a-z])| (?=\d+/\d)|$)(.*)$"
)
_ROAD = re.compile(r"^(?:duong|d|pho|dg|hem|ngo) (?=\S)")
# "Tô Ký", "Tỉnh lộ 8" and "Xa lộ Hà Nội" are streets; in "Lạc Long Quân P14" the unit begins at the P.
_WARD = (
    r"(?:phuong|p|xa(?! lo )|thi tran|quan|q|huyen|tp|thanh pho|tinh(?! lo ))(?: (?!p\d|p |q\d|q |phuong |quan )|\d)"
)
_STREET_END = re.compile(
    rf"(?:^| )(?:{_WARD}|(?:kp|khu pho|to(?= \d)|to dan pho|tdp|ap|thon|khu vuc|lau|tang|chung cu)(?: |\d)).*$"
)
_WARD_END = re.compile(rf"(?:^| ){_WARD}.*$")
_CITY_ALIASES = {
    "hcm": "ho chi minh",
    "sai gon": "ho chi minh",
    "hcmc": "ho chi minh",
    "tphcm": "ho chi minh",
    "hn": "ha noi",
    "brvt": "ba ria vung tau",
}


def after_reform(recorded_at: str | None) -> bool | None:
    """Whether a record is of July 2025 or later, when districts ended; None when its date is not known."""
    recorded = parse_date(recorded_at)
    if recorded.year is None:
        return None
    return (recorded.year, recorded.month or 12) >= (2025, 7)


@lru_cache(maxsize=1)
def _new_codes() -> frozenset[str]:
    return frozenset(row["ward_code"] for row in rows("admin_wards_2025_07"))


@lru_cache(maxsize=1)
def _successors() -> dict[str, tuple[str, ...]]:
    """New wards of each old ward code."""
    found: dict[str, set[str]] = {}
    for row in rows("admin_ward_map_2025_national"):
        if row["old_ward_code"]:
            found.setdefault(row["old_ward_code"], set()).add(row["new_ward_code"])
    return {code: tuple(sorted(new)) for code, new in found.items()}


def _chosen(codes: Iterable[str]) -> tuple[str, ...] | None:
    return tuple(sorted(codes)[:MAXIMUM_WARDS]) or None


@lru_cache(maxsize=1 << 16)
def wards_of_code(code: str | None, is_new: bool | None = None) -> tuple[str, ...] | None:
    """New wards of a ward code, old or new, of five digits or with a system's own digits in front; None when unknown.

    Most codes of old wards were kept for a new one: a record of before July 2025, or without a date, gets all that
    the old ward
    went into, a later record the new ward alone.
    """
    number = re.sub(r"\.0+$", "", folded(capped(code)))
    number = re.sub(r"[^0-9]", "", number)
    if not 4 <= len(number) <= 10:
        return None
    number = number.zfill(5)[-5:]
    if is_new and number in _new_codes():
        return (number,)
    successors = _successors().get(number)
    if successors is None:
        return (number,) if number in _new_codes() else None
    if len(successors) > MAXIMUM_WARDS and number in successors:
        successors = (number, *[other for other in successors if other != number])
        return tuple(sorted(successors[:MAXIMUM_WARDS]))
    return _chosen(successors)


def _unit_name(name: str) -> str:
    """A unit's name as a key: folded words, numbers without leading zeros, aliases of cities resolved."""
    key = " ".join(re.sub(r"[^a-z0-9]+", " ", folded(name)).split())
    key = re.sub(r"^0+(?=\d)", "", key)
    return _CITY_ALIASES.get(key, key)


def _without_kind(name: str) -> str:
    key = _unit_name(name)
    match = _UNIT.match(key)
    return _unit_name(match[2]) if match else key


@lru_cache(maxsize=1)
def _named() -> tuple[dict[str, set[tuple[str, str, str]]], frozenset[str], frozenset[str]]:
    """Ward names to (new code, old district or "", province) and the names of all districts and provinces."""
    table: dict[str, set[tuple[str, str, str]]] = {}
    districts: set[str] = set()
    provinces: set[str] = set()
    for row in rows("admin_ward_map_2025_national"):
        district = _without_kind(row["old_district"])
        place = (row["new_ward_code"], district)
        districts.add(district)
        for province in {_without_kind(row["old_province"]), _without_kind(row["new_province"])}:
            provinces.add(province)
            table.setdefault(_without_kind(row["old_ward"]), set()).add((*place, province))
    for row in rows("admin_wards_2025_07"):
        table.setdefault(_unit_name(row["ward_short"]), set()).add(
            (row["ward_code"], "", _without_kind(row["province"]))
        )
    return table, frozenset(districts), frozenset(provinces)


@lru_cache(maxsize=1 << 16)
def _wards_named(units: tuple[str, ...], is_new: bool | None) -> tuple[str, ...] | None:
    """New wards that the trailing parts of an address name, as far as they leave no more than three."""
    table, districts, provinces = _named()
    ward = district = province = None
    for part in units:
        match = _UNIT.match(part)
        kind = _KINDS[match[1]] if match else ""
        name = _unit_name(match[2] if match else part)
        if ward is None and kind in _WARD_KINDS and name in table:
            ward = name
        elif (
            ward is not None
            and district is None
            and name in districts
            and (kind in _DISTRICT_KINDS or name not in provinces)
        ):
            district = name
        elif name in provinces:
            province = name
    if ward is None:
        return None
    places = table[ward]
    if province is not None:
        places = {place for place in places if place[2] == province}
    if district is not None:
        places = {place for place in places if place[1] == district}
    elif is_new:
        places = {place for place in places if not place[1]}
    codes = {place[0] for place in places}
    return tuple(sorted(codes)) if 0 < len(codes) <= MAXIMUM_WARDS else None


def _parts(address: str | None) -> list[str]:
    """An address in lower-case ASCII words, cut at its commas; slashes stay inside house numbers."""
    octets = folded(without_invisibles(capped(address))).encode().translate(_NOISE)
    text = octets.decode()
    if "/" in text:
        text = _SPACED_SLASH.sub("/", text)
    return [" ".join(part.split()) for part in text.split(",") if part and not part.isspace()]


@lru_cache(maxsize=1 << 16)
def _wards_of_parts(parts: tuple[str, ...], is_new: bool | None) -> tuple[str, ...] | None:
    units: list[str] = []
    for part in parts:
        units.extend(_UNIT_INSIDE.split(part))
    return _wards_named(tuple(units[-5:]), is_new)


def _wards_of(parts: list[str], is_new: bool | None) -> tuple[str, ...] | None:
    """Wards named in the parts, without the house and street in front, so that what is looked up repeats."""
    if not parts:
        return None
    head = _UNIT_INSIDE.split(parts[0])
    if _UNIT.match(head[0]) is None:
        head = head[1:]
    return _wards_of_parts((*head, *parts[1:]), is_new)


def _street_of(parts: list[str]) -> str | None:
    if not parts:
        return None
    match = _HOUSE.match(parts[0])
    if match is None:
        return None
    rest = match[2] or (parts[1] if len(parts) > 1 else "")
    rest = _ROAD.sub("", rest)
    # A hamlet or quarter stands where a house has no street.
    street = _STREET_END.split(rest, maxsplit=1)[0] or _WARD_END.split(rest, maxsplit=1)[0]
    number = match[1].rstrip("/")
    return f"{number} {street}" if street.strip(" /") else None


def wards_of_address(address: str | None, is_new: bool | None = None) -> tuple[str, ...] | None:
    """New wards that an address names, such as "Phường 14, Quận 10"; None when it names none or more than three fit."""
    return _wards_of(_parts(address), is_new)


def street_of_address(address: str | None) -> str | None:
    """House number and street (or hamlet), such as "123/45/6a le loi"; None without a house number or anything behind
    it."""
    return _street_of(_parts(address))


def standard_address(
    ward: str | None, address: str | None, is_new: bool | None = None
) -> tuple[tuple[str, ...] | None, str | None]:
    """The wards (of the code, else of the text) and the street of an address."""
    wards = wards_of_code(ward, is_new) if ward else None
    if not address:
        return wards, None
    parts = _parts(address)
    return wards or _wards_of(parts, is_new), _street_of(parts)
