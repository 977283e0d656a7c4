"""The registry that the desk is tried on: a small made-up city, and hand-made people whom the rules leave in doubt.

Everything comes in by the services that sources use. The same code makes the same people, questions and enterprise IDs.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mpi.domain.entries import EntryKind, HealthRecordEntry
from mpi.domain.model import LinkageModel
from mpi.domain.records import CANONICAL_COLUMNS, RecordKey
from mpi.matching.scorer import Scorer
from mpi.registry.registry import Registry
from mpi.services.entries import register
from mpi.synthetic.city import generate_city
from tests.online.desk import Desk
from tests.services.linking import link_files

PAIRS = 72
"""Questions of two records each that the city is sure to hold."""

_PERSONS = 600
_WARDS = ("26824", "27004", "26686", "26800", "27007", "26806")
_SURNAMES = "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô".split()
_MIDDLES = "Thị Văn Minh Ngọc Thanh Đức".split()
# Two names that differ by a mark: brothers and sisters bear such names, and slips of the pen make them.
_ALIKE = (("Thúy", "Thùy"), ("Dũng", "Dung"), ("Hòa", "Hóa"), ("Tuấn", "Tuân"), ("Huệ", "Huế"), ("Vĩ", "Vi"))

Row = dict[str, str]

HOSTILE = "<script>document.title='ran'</script>"
"""What somebody typed into a form in the place of a name."""

HOSTILE_KEY = 'hospital:"><script>1</script>'
"""A record's key of that kind."""

HOSTILE_VALUES = {
    "full_name": f"Trần {HOSTILE} Lan",
    "birth_date": "1984-03-19",
    "sex": "Nữ",
    "address": '"><img src=x onerror="document.title=\'ran\'">',
    "mother_name": "'-alert(1)-' {{ 7 * 7 }}",
    "phone": "0903718264",
    "health_insurance_number": "DN4797928985301",
}


_ENTRIES = (
    ("hospital", "BN4", EntryKind.ENCOUNTER, date(2019, 3, 4), "Bệnh viện quận 3"),
    ("hospital", "BN4", EntryKind.LABORATORY_REPORT, date(2019, 3, 5), "Bệnh viện quận 3"),
    ("hospital", "BN5", EntryKind.ENCOUNTER, date(2022, 7, 21), "Bệnh viện Bình Dân"),
    ("insurance", "BH4", EntryKind.CLAIM, date(2022, 8, 1), ""),
    ("station", "TYT4", EntryKind.VACCINATION, date(2023, 10, 2), "Trạm y tế phường 5"),
    ("station", "TYT4", EntryKind.STATION_VISIT, date(2025, 10, 1), "Trạm y tế phường 5"),
)
"""Of the lifelong record of one person: source, local id, kind, day, facility."""


def doubtful_pairs() -> Iterator[tuple[Row, Row]]:
    """Two records each that may be one person, of a hospital and of a station, with one thing that does not fit."""
    for number in range(PAIRS):
        one, other = _ALIKE[number % len(_ALIKE)]
        surname = _SURNAMES[number // len(_ALIKE) % len(_SURNAMES)]
        middle = _MIDDLES[number * 5 // 7 % len(_MIDDLES)]
        born = f"{1950 + number * 7 % 50}-{1 + number % 9:02}-{13 + number % 15:02}"
        shared = {
            "birth_date": born,
            "sex": ("Nữ", "Nam")[number % 2],
            "phone": f"09{number % 10}{3_718_264 + 40_729 * number}",
            "ward_code": _WARDS[number % len(_WARDS)],
        }
        yield (
            {
                "source_record_id": f"BN{100 + number}",
                "full_name": f"{surname} {middle} {one}",
                "citizen_id": f"079{(1, 0)[number % 2]}{born[2:4]}{271_828 + 7_919 * number:06}",
                "address": f"{12 + number} Trần Hưng Đạo",
                "recorded_at": f"2025-{1 + number % 12:02}-10",
                **shared,
            },
            {
                "source_record_id": f"TYT{100 + number}",
                "full_name": f"{surname} {middle} {other}",
                "address": f"{12 + number} Trần Hưng Đạo, phường 5",
                "recorded_at": f"2024-{1 + number % 12:02}-21",
                **shared,
                **({"birth_date": f"{int(born[:4]) + 2}-02-11"} if number % 5 == 4 else {}),
            },
        )


def fill(registry: Registry, model: LinkageModel, folder: Path) -> None:
    """Make the city in `folder` and link it into an empty registry, then let the people of particular screens come."""
    made = generate_city(folder / "city", persons=_PERSONS, seed=4)
    files = {system: path for system, path in made.files.items() if system != "truth"}
    pairs = list(doubtful_pairs())
    for system, rows in (("hospital", [pair[0] for pair in pairs]), ("station", [pair[1] for pair in pairs])):
        files[system] = _with_rows(files[system], rows, folder / f"{system}.parquet")
    link_files(registry, files, model=model, rejects=folder / "rejects.parquet")
    particular_people(Desk(registry, Scorer(model)))


def _with_rows(source: Path, rows: list[Row], out: Path) -> Path:
    table = pq.read_table(source)
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in CANONICAL_COLUMNS}
    pq.write_table(pa.concat_tables([table, pa.table(columns).select(table.column_names).cast(table.schema)]), out)
    return out


def particular_people(desk: Desk) -> None:
    """People for the screens that show one thing well."""
    for people in (_mother_and_newborn, _twins, _overlay, _two_who_became_one, _duplicates, _hostile):
        people(desk)


def _mother_and_newborn(desk: Desk) -> None:
    """A newborn under its mother's name, numbers and phone."""
    numbers = {"citizen_id": "079192004417", "health_insurance_number": "DN4797928985388", "phone": "0918450277"}
    mother = {"full_name": "Võ Thị Kim Oanh", "sex": "Nữ", "ward_code": "26824", **numbers}
    desk.comes("hospital:BN1", at="2025-05-02", birth_date="1992-08-14", **mother)
    desk.comes("insurance:BH1", at="2024-11-30", birth_date="14/08/1992", **mother)
    desk.comes("station:TYT1", at="2025-05-04", birth_date="2025-05-01", mother_name="Võ Thị Kim Oanh", **mother)


def _twins(desk: Desk) -> None:
    """Two brothers of one day whose names differ by a mark."""
    shared = {"birth_date": "2015-02-27", "sex": "Nam", "phone": "0977339635", "ward_code": "27004"}
    for local_id, name in (("HS1", "Lê Gia Ân"), ("HS2", "Lê Gia An")):
        desk.comes(f"student:{local_id}", at="2025-09-05", full_name=name, mother_name="Đoàn Thị Ngọc Bích", **shared)


def _overlay(desk: Desk) -> None:
    """A hospital overwrote one patient with another."""
    before = {"full_name": "Phan Quốc Thịnh", "birth_date": "1961-10-23", "sex": "Nam", "citizen_id": "079061002417"}
    after = {"full_name": "Lý Mỹ Phụng", "birth_date": "1977-06-02", "sex": "Nữ", "citizen_id": "079177009134"}
    desk.comes("insurance:BH3", at="2024-03-02", phone="0909114277", **before)
    desk.comes("station:TYT3", at="2024-07-19", phone="0909114277", **before)
    desk.comes("hospital:BN3", at="2025-01-17", phone="0909114277", **before)
    desk.comes("hospital:BN3", at="2025-06-30", phone="0938220164", **after)


def _two_who_became_one(desk: Desk) -> None:
    """Two women in two pairs of records, and one record that held them together until it was put right."""
    one = {"full_name": "Đỗ Thị Thanh Hương", "birth_date": "1962-04-12", "sex": "Nữ", "phone": "0903885120"}
    other = {"full_name": "Đỗ Thị Thanh Hương", "birth_date": "1971-12-04", "sex": "Nữ", "phone": "0986417733"}
    desk.comes("insurance:BH4", at="2023-02-11", citizen_id="079162003355", ward_code="26686", **one)
    desk.comes("hospital:BN4", at="2024-08-23", citizen_id="079162003355", ward_code="26686", **one)
    desk.comes("insurance:BH5", at="2023-02-11", health_insurance_number="DN4797931415926", ward_code="26806", **other)
    desk.comes("hospital:BN5", at="2025-03-09", health_insurance_number="DN4797931415926", ward_code="26806", **other)
    between = {"full_name": "Đỗ Thị Thanh Hương", "sex": "Nữ", "phone": "0903885120"}
    numbers = {"citizen_id": "079162003355", "health_insurance_number": "DN4797931415926"}
    desk.comes("station:TYT4", at="2025-10-01", birth_date="1971", **between, **numbers)
    desk.comes("station:TYT4", at="2025-11-12", birth_date="1971", **between)
    entries = [
        HealthRecordEntry(RecordKey(system, local_id), f"E{number}", kind, day, facility, "")
        for number, (system, local_id, kind, day, facility) in enumerate(_ENTRIES)
    ]
    register(desk.registry, "a first load of entries", b"", entries, lambda registered: b"")


def _duplicates(desk: Desk) -> None:
    """Two people of two records each; what was learnt later makes them look like one."""
    whole = {"birth_date": "1988-11-05", "sex": "Nam", "phone": "0913667208", "ward_code": "26800"}
    first = {"full_name": "Huỳnh Tấn Tú", "citizen_id": "079088001276"}
    second = {"full_name": "Huỳnh Tấn Tư", "health_insurance_number": "GD4797967712345"}
    for key in ("hospital:BN6", "insurance:BH6"):
        desk.comes(key, at="2024-05-20", **first, **whole)
    for key in ("station:TYT7", "student:HS7"):
        desk.comes(key, at="2024-01-15", **second, sex="Nam")
    desk.comes("station:TYT7", at="2025-02-28", **second, **whole)


def _hostile(desk: Desk) -> None:
    """Two records that are one person, and a third that may be."""
    for key in (HOSTILE_KEY, "insurance:BH2"):
        desk.comes(key, **HOSTILE_VALUES)
    other = HOSTILE_VALUES | {"full_name": f"Trần {HOSTILE} Lân", "birth_date": "1986-07-02"}
    del other["health_insurance_number"]
    desk.comes("station:TYT2", **other)
