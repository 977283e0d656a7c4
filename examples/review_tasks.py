"""A steward's own program: shows the open questions, and answers one that it was told the answer of.

python examples/review_tasks.py --token-file token.txt
python examples/review_tasks.py --token-file token.txt --task 12 --answer different --comment "twins, both were seen"
"""

import argparse
from pathlib import Path

from mpi.client import IdentityError, StewardshipClient
from mpi.identity.v1.person_pb2 import PersonChangeKind, ReviewTaskKind
from mpi.identity.v1.record_pb2 import RecordKey
from mpi.identity.v1.review_pb2 import DecisionStanding, ReviewTask, ReviewVerdict, SecondReadingReason

ANSWERS = {
    "same": ReviewVerdict.REVIEW_VERDICT_SAME,
    "different": ReviewVerdict.REVIEW_VERDICT_DIFFERENT,
    "unsure": ReviewVerdict.REVIEW_VERDICT_UNSURE,
    "escalate": ReviewVerdict.REVIEW_VERDICT_ESCALATE,
}
SHOWN = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--token-file", type=Path, required=True, help="what `mpi accounts token NAME` printed")
    parser.add_argument("--task", default="", metavar="ID")
    parser.add_argument("--answer", choices=ANSWERS)
    parser.add_argument("--comment", default="")
    asked = parser.parse_args()
    with StewardshipClient(asked.server, asked.token_file.read_text(encoding="ascii").strip()) as client:
        try:
            if asked.task and asked.answer:
                answer(client, asked.task, asked.answer, asked.comment)
            else:
                show(client)
        except IdentityError as error:
            raise SystemExit(f"{error.reason}: {error.message} {error.metadata}") from None


def show(client: StewardshipClient) -> None:
    """The most urgent questions."""
    for number, task in enumerate(client.list_tasks()):
        if number == SHOWN:
            break
        print(line_of(task))


def line_of(task: ReviewTask) -> str:
    """One question. Its score is missing where it is to be judged without."""
    kind = ReviewTaskKind.Name(task.kind).removeprefix("REVIEW_TASK_KIND_")
    weight = f"{task.match_weight:+.1f} bits" if task.HasField("match_weight") else "no score"
    return f"{task.task_id}  {kind}  {name_of(task.left)} and {name_of(task.right)}  {weight}  {task.reason}"


def name_of(key: RecordKey) -> str:
    return f"{key.source_system}:{key.source_record_id}"


def answer(client: StewardshipClient, task_id: str, word: str, comment: str) -> None:
    """Takes a question, answers it as it is now, and says what came of it."""
    task = client.claim(task_id)
    decision = client.decide(task, ANSWERS[word], comment=comment).decision
    print(DecisionStanding.Name(decision.standing).removeprefix("DECISION_STANDING_"))
    for reason in decision.second_reading_reasons:
        why = SecondReadingReason.Name(reason).removeprefix("SECOND_READING_REASON_")
        print(f"    somebody else reads it too: {why}")
    for person in decision.affected_persons:
        changes = [PersonChangeKind.Name(each).removeprefix("PERSON_CHANGE_KIND_") for each in person.changes]
        print(f"    {person.enterprise_id}  {', '.join(changes)}  {person.superseded_by}")


if __name__ == "__main__":
    main()
