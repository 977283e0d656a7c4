"""Stewards beside each other and beside callers, on PostgreSQL: one wins, all is kept, and nobody waits for ever."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from mpi.domain.errors import MpiError, RegistryError, StaleVersionError, TaskClosedError
from mpi.domain.review import Actor, Role, Verdict
from mpi.registry import reviews
from mpi.registry.registry import Registry
from mpi.services.stewardship.adjudicate import Outcome, Standing
from mpi.services.stewardship.review_queue import TaskFilter, claim_next
from tests.online.desk import Desk
from tests.postgres import PostgresServer
from tests.registries import SECRET, migrated
from tests.registry.rows import store_persons, store_records
from tests.registry.test_review_tasks import tasks_of
from tests.services.linking import assert_sound
from tests.services.stewardship.replayed import look
from tests.services.stewardship.stewards import HOA, LAN, MINH, Stewards

LONGEST = 60.0


@pytest.fixture
def registry(postgres: PostgresServer) -> Iterator[Registry]:
    with migrated(postgres) as url, Registry.open(url, secret=SECRET, create=False) as opened:
        yield opened


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def at_once(works: Sequence[Callable[[], object]]) -> list[object]:
    """What each of some calls gave that began together, or the error that it ended with, in order."""
    ready = threading.Barrier(len(works))
    given: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        ready.wait()
        try:
            given[place] = work()
        except Exception as error:
            given[place] = error

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
        assert not thread.is_alive(), "somebody waits for ever"
    return given


def test_of_two_who_decide_one_task_one_wins(stewards: Stewards) -> None:
    for number in range(8):
        name = f"name {number}"
        stewards.desk.comes(f"a:{number}", name=name, birth=f"1985010{number + 1}")
        stewards.desk.comes(f"b:{number}", name=name, birth=f"1990020{number + 1}")
    assert len(stewards.tasks()) == 8
    applied = 0
    for task in stewards.tasks():
        answers = at_once(
            [
                partial(stewards.answer, task, Verdict.SAME, by=LAN),
                partial(stewards.answer, task, Verdict.DIFFERENT, by=MINH),
            ]
        )
        (refused,) = (each for each in answers if isinstance(each, Exception))
        assert isinstance(refused, TaskClosedError | StaleVersionError), refused
        joined = stewards.id_of(str(task.record_a)) == stewards.id_of(str(task.record_b))
        (won,) = (each for each in answers if isinstance(each, Outcome))
        applied += won.standing is Standing.APPLIED
        assert joined == (won is answers[0] and won.standing is Standing.APPLIED)
    # the others wait for a second reader
    assert len(look(stewards.registry).judged) == applied


def test_nobody_is_given_what_somebody_else_has(registry: Registry) -> None:
    with registry.begin() as uow:
        store_persons(uow, [[record] for record in store_records(uow, ["a", "b"]).tolist()])
        reviews.open_tasks(uow, tasks_of([float(number % 7) for number in range(40)]), run_id=None)

    def take_all(actor: Actor) -> list[int]:
        taken: list[int] = []
        while (found := claim_next(registry, actor, TaskFilter(), after=taken[-1] if taken else None)) is not None:
            if found.task_id in taken:
                break
            taken.append(found.task_id)
        return taken

    actors = [Actor(f"steward {number}", Role.STEWARD) for number in range(8)]
    given = at_once([partial(take_all, actor) for actor in actors])
    errors = [each for each in given if isinstance(each, Exception)]
    assert errors == []
    counted = Counter(number for each in given if isinstance(each, list) for number in each)
    assert counted == Counter(range(1, 41))


def test_a_merge_and_a_resolve_of_the_same_people(stewards: Stewards) -> None:
    """Whichever is first, nobody's record is lost, and the merge is refused only where it was not seen."""
    for number in range(6):
        who = {"name": f"name {number}", "birth": f"1985010{number + 1}"}
        stewards.desk.comes(f"a:{number}", **who)
        stewards.desk.comes(f"b:{number}", name=f"other {number}", birth=f"1990090{number + 1}")
        one, other = (stewards.id_of(f"{system}:{number}") or "" for system in "ab")
        merged, resolved = at_once(
            [
                partial(stewards.merge, one, other),
                partial(stewards.desk.comes, f"c:{number}", **who),
            ]
        )
        assert not isinstance(merged, Exception), merged
        assert not isinstance(resolved, Exception), resolved
        assert [stewards.id_of(f"{system}:{number}") for system in "abc"] == [one] * 3
    found = look(stewards.registry)
    assert found.told == found.there


def test_an_undo_beside_a_resolve(stewards: Stewards) -> None:
    for number in range(6):
        who = {"name": f"name {number}", "birth": f"1985010{number + 1}"}
        slipped = {"name": f"other {number}", "birth": f"1990020{number + 1}", "number": f"7{number}"}
        stewards.desk.comes(f"a:{number}", **who)
        stewards.desk.comes(f"b:{number}", **slipped)
        one, other = (stewards.id_of(f"{system}:{number}") or "" for system in "ab")
        merged = stewards.merge(one, other)
        undone, resolved = at_once(
            [
                partial(stewards.undo, merged),
                partial(stewards.desk.comes, f"c:{number}", **slipped),
            ]
        )
        assert not isinstance(undone, Exception), undone
        assert not isinstance(resolved, Exception), resolved
        # the newcomer goes to whom it fits, whether it came before the undo or after
        assert [stewards.id_of(f"{system}:{number}") for system in "abc"] == [one, other, other]


def test_five_seconds_of_everything(stewards: Stewards) -> None:
    """No deadlock, no error of the database, and afterwards all is as its events tell."""
    records = [f"{system}:{number}" for system in "abc" for number in range(6)]
    began = time.monotonic()
    done: Counter[str] = Counter()

    def over() -> bool:
        """Five seconds, and as many more as a busy machine needs until everything was done once."""
        seconds = time.monotonic() - began
        return seconds > 5.0 and (all(done[each] for each in usual) or seconds > LONGEST / 2)

    def resolve(dice: random.Random) -> None:
        values = {"name": dice.choice(("lan", "lan thi")), "birth": dice.choice(("19850101", "19850201"))}
        number = dice.choice(("", "71", "72"))
        stewards.desk.comes(dice.choice(records), **values, **({"number": number} if number else {}))

    def judge(dice: random.Random) -> None:
        tasks = stewards.tasks(HOA)
        if tasks:
            stewards.answer(dice.choice(tasks), dice.choice(list(Verdict)), by=dice.choice((LAN, MINH, HOA)))

    def take(dice: random.Random) -> None:
        claim_next(stewards.registry, dice.choice((LAN, MINH)), TaskFilter(), seconds=0.01)

    def merge(dice: random.Random) -> None:
        stewards.merge(*(stewards.id_of(each) or "" for each in dice.sample(records, 2)))

    def split(dice: random.Random) -> None:
        record = dice.choice(records)
        stewards.split(stewards.id_of(record) or "", record)

    def undo(dice: random.Random) -> None:
        stewards.undo_decision(dice.randrange(1, 400), by=HOA)

    def work(seed: int, steps: Sequence[Callable[[random.Random], None]]) -> None:
        dice = random.Random(seed)
        while not over():
            step = dice.choice(steps)
            try:
                step(dice)
                done[step.__name__] += 1
            except RegistryError:
                raise
            except MpiError:
                continue

    usual = [step.__name__ for step in (resolve, judge, take, merge)]
    crowd = [(resolve,)] * 3 + [(judge, take), (judge, undo), (merge, split, undo), (merge, judge, split)]
    given = at_once([partial(work, seed, steps) for seed, steps in enumerate(crowd)])
    assert [each for each in given if each is not None] == []
    assert all(done[each] for each in usual), done
    assert_sound(stewards.registry)
    found = look(stewards.registry)
    assert found.told == found.there
    for each in found.judged:
        owners = [found.there.owner.get(end) for end in (each.record_a, each.record_b)]
        if None not in owners and each.verdict is not Verdict.UNSURE:
            assert (owners[0] == owners[1]) == (each.verdict is Verdict.SAME), each
