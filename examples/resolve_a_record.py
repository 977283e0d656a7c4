"""A source system registers a record and learns the person's enterprise ID. Sent twice, it is done once.

python examples/resolve_a_record.py --system hospital --id BN0001 --name "Trần Thị Lan" --birth-date 1984-03-19
"""

import argparse

from mpi.client import IdentityClient, IdentityError
from mpi.identity.v1.identity_service_pb2 import ResolveOutcome
from mpi.identity.v1.record_pb2 import RecordChange, RecordKey, SourceRecord


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--system", default="hospital")
    parser.add_argument("--id", default="BN0001")
    parser.add_argument("--name", default="Trần Thị Lan")
    parser.add_argument("--birth-date", default="1984-03-19")
    parser.add_argument("--citizen-id", default="079184000123")
    asked = parser.parse_args()
    record = SourceRecord(
        key=RecordKey(source_system=asked.system, source_record_id=asked.id),
        full_name=asked.name,
        birth_date=asked.birth_date,
        citizen_id=asked.citizen_id,
    )
    # The source's own message number makes a good request id: whoever sends it again, after a crash as well as after a
    # lost reply, gets the first answer and makes no second person.
    request_id = f"{asked.system}-{asked.id}-1"
    with IdentityClient(asked.server) as client:
        try:
            done = client.resolve(record, request_id=request_id)
        except IdentityError as error:
            raise SystemExit(f"{error.reason}: {error.message} {error.field_violations}") from None
        again = client.resolve(record, request_id=request_id)
    outcome = ResolveOutcome.Name(done.outcome).removeprefix("RESOLVE_OUTCOME_")
    change = RecordChange.Name(done.record_change).removeprefix("RECORD_CHANGE_")
    print(f"{done.enterprise_id}  {outcome}  {change}  revision {done.revision}")
    if done.HasField("linked_through"):
        through = done.linked_through
        print(f"    through {through.source_system}:{through.source_record_id}, {done.match_weight:.1f} bits")
    for task in done.review_tasks:
        print(f"    a steward is asked: {task.reason} ({task.other_enterprise_id})")
    print(f"    sent again: {'the same answer' if again == done else 'another answer'}")


if __name__ == "__main__":
    main()
