"""A process in which a steward decides and which dies on purpose: by SIGKILL before its n-th statement, or its commit.

The fork server has decided once, so that its children find every kernel.
"""

import pickle
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mpi.domain.review import Verdict
from mpi.registry import tables
from mpi.registry.registry import Registry
from mpi.services.answering import WritingCall
from mpi.services.stewardship import adjudicate, rearrange
from mpi.services.stewardship.adjudicate import DecisionRequest, Outcome, Standing
from mpi.services.stewardship.rearrange import SplitRequest, UnmergeRequest
from tests.faults.resolving import NEVER, Deaths, heard
from tests.online.desk import Desk
from tests.registries import SECRET
from tests.services.linking import query
from tests.services.stewardship.stewards import HOA, LAN, MINH, NOW, Stewards, key

LAN_THI = {"name": "lan thi", "birth": "19850101"}
SLIPPED = {"name": "lan thi", "birth": "19850201"}
CALL = WritingCall("one and the same request", "test", b"asked")

Asked = DecisionRequest | UnmergeRequest | SplitRequest | int
"""An answer by a second reader, a change that no task asked for, or the number of a decision to be undone by a lead."""


def make_merge(registry: Registry) -> Asked:
    """Two people of two records each, whom a first reader took for one; what the second reader says."""
    stewards = Stewards(Desk(registry))
    for record, number in (("a:1", "71"), ("a:2", "71")):
        stewards.desk.comes(record, **LAN_THI, number=number)
    for record in ("b:1", "b:2"):
        stewards.desk.comes(record, **SLIPPED, phone="0901234567")
    stewards.desk.comes("c:1", name="lan thi", birth="19850301")
    task = next(each for each in stewards.tasks() if "c:1" not in (str(each.record_a), str(each.record_b)))
    assert stewards.answer(task, Verdict.SAME, by=LAN).standing is Standing.SECOND_READING
    waiting = stewards.task(task.task_id, MINH)
    return DecisionRequest(waiting.task_id, Verdict.SAME, "yes", waiting.version, waiting.seen_revision)


def make_undo(registry: Registry) -> Asked:
    """Two who were merged, and records that came since to either; the decision to be undone."""
    stewards = Stewards(Desk(registry))
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", **SLIPPED)
    outcome = stewards.answer(stewards.only_task(), Verdict.SAME)
    stewards.desk.comes("c:1", **SLIPPED, number="72")
    stewards.desk.comes("b:1", **SLIPPED, number="72")
    stewards.desk.comes("c:2", **LAN_THI, phone="0901234567")
    assert outcome.decision_id is not None
    return outcome.decision_id


def make_unmerge(registry: Registry) -> Asked:
    """Two who were merged, and records that came since; the one who shall be itself again."""
    stewards = Stewards(Desk(registry))
    stewards.desk.comes("a:1", **LAN_THI)
    stewards.desk.comes("b:1", **SLIPPED)
    dead = stewards.id_of("b:1")
    assert dead is not None
    stewards.answer(stewards.only_task(), Verdict.SAME)
    stewards.desk.comes("c:1", **SLIPPED, number="72")
    stewards.desk.comes("b:1", **SLIPPED, number="72")
    return UnmergeRequest(dead, "two people", NOW)


def make_split(registry: Registry) -> Asked:
    """A person of four records, two of whom shall leave for somebody else."""
    stewards = Stewards(Desk(registry))
    for record in ("a:1", "a:2", "b:1", "c:1"):
        stewards.desk.comes(record, **LAN_THI, number="71")
    stewards.desk.comes("c:2", name="hung", birth="19700102")
    person, into = stewards.id_of("a:1"), stewards.id_of("c:2")
    assert person is not None
    return SplitRequest(person, (key("b:1"), key("c:1")), into, "somebody else's", NOW)


def answer(registry: Registry, asked: Asked) -> bytes:
    """What is told to who asks, the first time or again."""
    rules = Desk(registry).rules
    return _give(registry, rules, asked)


def _give(registry: Registry, rules: Any, asked: Asked) -> bytes:
    if isinstance(asked, DecisionRequest):
        return adjudicate.decide(registry, rules, MINH, CALL, asked, pickle.dumps)
    if isinstance(asked, UnmergeRequest):
        return rearrange.unmerge_persons(registry, rules, MINH, CALL, asked, pickle.dumps)
    if isinstance(asked, SplitRequest):
        return rearrange.split_person(registry, rules, MINH, CALL, asked, pickle.dumps)
    return adjudicate.undo(registry, rules, HOA, CALL, decision_id=asked, encode=pickle.dumps)


def decide_and_die(url: str, asked: Asked, point: int, said: Path) -> None:
    """Decide; be killed at a point of the transaction. What was answered goes to `said`."""
    deaths = Deaths(NEVER)
    with heard(url, deaths) as registry:
        rules = Desk(registry).rules
        deaths.point = point
        said.write_bytes(_give(registry, rules, asked))


def statements_of(url: str, asked: Asked) -> int:
    """How many statements the transaction takes."""
    deaths = Deaths(NEVER)
    with heard(url, deaths) as registry:
        outcome = pickle.loads(answer(registry, asked))
        assert isinstance(outcome, Outcome)
        assert outcome.standing is Standing.APPLIED
        return len(deaths.statements)


def desk_state(registry: Registry) -> dict[str, list[Any]]:
    """What a decision leaves, apart from moments."""
    moments = {"made_at", "read_at", "opened_at", "closed_at", "recorded_at", "answered_at", "claimed_until"}
    kept = ("decision", "decision_person", "judgement", "reading", "review_task", "redirect", "link", "person", "event")
    columns = {
        name: [column for column in tables.METADATA.tables[name].c if column.name not in moments] for name in kept
    }
    return {name: sorted(query(registry, sa.select(*of)), key=repr) for name, of in columns.items()}


def warm() -> None:
    """Decide and undo once."""
    with tempfile.TemporaryDirectory() as folder:
        for place, make in enumerate((make_merge, make_undo)):
            with Registry.open(f"sqlite:///{folder}/{place}.db", secret=SECRET, create=True) as registry:
                answer(registry, make(registry))
