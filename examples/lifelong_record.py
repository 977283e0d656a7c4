"""A hospital and a school each point to what they hold about one child; the lifelong record shows both, in order.

python examples/lifelong_record.py
"""

import argparse
from datetime import date

from google.type.date_pb2 import Date

from mpi.client import IdentityClient
from mpi.identity.v1.health_record_pb2 import (
    ENTRY_KIND_BIRTH,
    ENTRY_KIND_ENCOUNTER,
    ENTRY_KIND_SCHOOL_CHECK,
    EntryKind,
    HealthRecordEntry,
)
from mpi.identity.v1.record_pb2 import RecordKey, SourceRecord

CHILD = SourceRecord(full_name="Phạm Ngọc Mai", birth_date="2012-01-20", sex="Nữ", citizen_id="079312004567")
HOSPITAL = RecordKey(source_system="hospital", source_record_id="BN7001")
SCHOOL = RecordKey(source_system="student", source_record_id="HS7001")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    asked = parser.parse_args()
    with IdentityClient(asked.server) as client:
        for key in (HOSPITAL, SCHOOL):
            record = SourceRecord(key=key)
            record.MergeFrom(CHILD)
            client.resolve(record)
        written = client.register_entries(
            [
                entry(SCHOOL, "KSK-2024", ENTRY_KIND_SCHOOL_CHECK, date(2024, 10, 3), "Trường THCS Lê Lợi"),
                entry(HOSPITAL, "DT-1", ENTRY_KIND_BIRTH, date(2012, 1, 20), "Bệnh viện Từ Dũ"),
                entry(HOSPITAL, "KB-42", ENTRY_KIND_ENCOUNTER, date(2023, 5, 17), "Bệnh viện Từ Dũ"),
            ]
        )
        [person] = client.look_up(source_record=SCHOOL, consistency_token=written.consistency_token).persons
        print(person.enterprise_id)
        for each in client.list_entries(person.enterprise_id):
            day = date(each.date.year, each.date.month, each.date.day)
            kind = EntryKind.Name(each.kind).removeprefix("ENTRY_KIND_")
            print(f"    {day}  {kind}  {each.facility}  {each.locator}")


def entry(record: RecordKey, entry_id: str, kind: EntryKind, day: date, facility: str) -> HealthRecordEntry:
    """A pointer to something that the record's source system holds."""
    return HealthRecordEntry(
        record=record,
        entry_id=entry_id,
        kind=kind,
        date=Date(year=day.year, month=day.month, day=day.day),
        facility=facility,
        locator=f"https://{record.source_system}.example/entries/{entry_id}",
    )


if __name__ == "__main__":
    main()
