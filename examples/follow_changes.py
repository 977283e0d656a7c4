"""Follows what happens to people, and goes on where it stopped: the resume token is kept in a file.

python examples/follow_changes.py --token changes.token --changes 10
"""

import argparse
from pathlib import Path

from mpi.client import IdentityClient
from mpi.identity.v1.person_pb2 import PersonChangeKind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--token", type=Path, default=Path("changes.token"), help="Where the token is kept.")
    parser.add_argument("--changes", type=int, default=0, help="End after so many; 0: go on for ever.")
    asked = parser.parse_args()
    kept = asked.token.read_text() if asked.token.exists() else ""
    seen = 0
    with IdentityClient(asked.server) as client:
        # Without a token it begins with the first change there ever was.
        for message in client.watch(resume_token=kept, after_revision=None if kept else 0):
            if message.HasField("change"):
                change = message.change
                kind = PersonChangeKind.Name(change.kind).removeprefix("PERSON_CHANGE_KIND_")
                records = ", ".join(f"{key.source_system}:{key.source_record_id}" for key in change.records)
                print(f"{change.revision}  {change.enterprise_id}  {kind}  {records}", flush=True)
                seen += 1
            # Only once the change is dealt with: who keeps the token first may lose it.
            asked.token.write_text(message.resume_token)
            if seen == asked.changes > 0:
                return


if __name__ == "__main__":
    main()
