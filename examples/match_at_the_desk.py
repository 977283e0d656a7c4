"""A patient stands at the desk: who may this be? Asks, shows the candidates and why, and writes nothing.

python examples/match_at_the_desk.py --name "Tran Thi Lan" --birth-date 19/03/1984 --citizen-id 079184000123
"""

import argparse

from mpi.client import IdentityClient
from mpi.identity.v1.identity_service_pb2 import MatchOutcome
from mpi.identity.v1.match_pb2 import Candidate, MatchGrade
from mpi.identity.v1.record_pb2 import SourceRecord

STRONGEST = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--name", default="Tran Thi Lan")
    parser.add_argument("--birth-date", default="19/03/1984")
    parser.add_argument("--citizen-id", default="")
    asked = parser.parse_args()
    record = SourceRecord(full_name=asked.name, birth_date=asked.birth_date, citizen_id=asked.citizen_id)
    with IdentityClient(asked.server) as client:
        found = client.match(record, include_explanations=True)
    print(MatchOutcome.Name(found.outcome).removeprefix("MATCH_OUTCOME_"))
    for candidate in found.candidates:
        show(candidate)


def show(candidate: Candidate) -> None:
    """One candidate: how sure, and the evidence that says most for or against."""
    grade = MatchGrade.Name(candidate.grade).removeprefix("MATCH_GRADE_")
    print(f"{candidate.enterprise_id}  {grade}  {candidate.match_weight:+.1f} bits")
    for key in candidate.cross_references:
        print(f"    known as {key.source_system}:{key.source_record_id}")
    steps = sorted(candidate.explanation.contributions, key=lambda step: -abs(step.weight))
    for step in steps[:STRONGEST]:
        print(f"    {step.weight:+6.1f}  {step.comparison}: {step.level}")


if __name__ == "__main__":
    main()
