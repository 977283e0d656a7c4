"""The queue: leases, what comes next, who may read what, pairs that test readers."""

from collections.abc import Callable

import pytest

from mpi.domain.errors import InvalidInputError, MissingRightError, TaskClaimedError
from mpi.domain.review import Actor, Stage, Verdict
from mpi.registry.registry import Registry
from mpi.services.desk.cluster_view import cluster_view
from mpi.services.stewardship import review_queue
from mpi.services.stewardship.adjudicate import Standing
from mpi.services.stewardship.gold import add_gold, may_be_gold
from tests.online.desk import Desk
from tests.services.stewardship.doubts import doubt, established
from tests.services.stewardship.stewards import AUDITOR, HOA, LAN, MINH, Stewards


@pytest.fixture
def stewards(registry: Registry) -> Stewards:
    return Stewards(Desk(registry))


def test_a_claim_keeps_others_away_until_it_ends(stewards: Stewards) -> None:
    task = doubt(stewards)
    claimed = review_queue.claim(stewards.registry, LAN, task.task_id, seconds=60)
    assert claimed.claimed_by == "lan"
    with pytest.raises(TaskClaimedError) as refused:
        review_queue.claim(stewards.registry, MINH, task.task_id)
    assert refused.value.metadata["claimed_by"] == "lan"
    with pytest.raises(TaskClaimedError):
        stewards.answer(claimed, Verdict.SAME, by=MINH)
    assert review_queue.release(stewards.registry, MINH, task.task_id).claimed_by == "lan"
    review_queue.claim(stewards.registry, LAN, task.task_id, seconds=0)
    assert review_queue.claim(stewards.registry, MINH, task.task_id).claimed_by == "minh"
    assert review_queue.release(stewards.registry, MINH, task.task_id).claimed_by is None


def test_next_goes_on_behind_the_task_and_round_again(stewards: Stewards) -> None:
    for place in range(3):
        name = ("lan thi", "hung van", "minh")[place]
        stewards.desk.comes(f"a:{place}", name=name, birth=f"1985010{place + 1}")
        stewards.desk.comes(f"b:{place}", name=name, birth=f"1995020{place + 1}")
    wanted = review_queue.TaskFilter()
    seen = []
    last = None
    for _ in range(4):
        found = review_queue.claim_next(stewards.registry, LAN, wanted, after=last)
        assert found is not None
        last = found.task_id
        seen.append(last)
    assert sorted(seen[:3]) == sorted(each.task_id for each in stewards.tasks())
    assert seen[3] == seen[0]
    assert review_queue.claim_next(stewards.registry, MINH, wanted) is None


def test_gold_pairs_look_like_second_readings_and_change_nobody(stewards: Stewards) -> None:
    task = established(stewards)
    stewards.settle(task, Verdict.SAME)
    assert may_be_gold(stewards.registry, HOA, task.task_id)
    number = add_gold(stewards.registry, HOA, task.task_id)
    thu = type(LAN)("thu", LAN.role)
    test = stewards.only_task(thu)
    assert (test.task_id, test.stage, test.weight_hidden, test.enterprise_id_a) == (number, Stage.SECOND, True, None)
    before = stewards.state()
    assert stewards.answer(test, Verdict.DIFFERENT, by=thu).standing is Standing.NOTED
    assert stewards.state() == before
    assert stewards.tasks(thu) == ()
    assert stewards.only_task(LAN).task_id == number
    with pytest.raises(InvalidInputError, match="already"):
        add_gold(stewards.registry, HOA, task.task_id)


def test_whoever_may_read_it_again_sees_no_weights_of_its_people(stewards: Stewards) -> None:
    task = established(stewards)
    person_a = stewards.id_of("a:1")
    assert person_a is not None

    def hidden(actor: Actor) -> bool:
        return cluster_view(stewards.registry, stewards.desk.rules, actor, person_a).weights_hidden

    assert not hidden(MINH)
    stewards.answer(task, Verdict.SAME)
    assert [hidden(each) for each in (LAN, MINH, HOA, AUDITOR)] == [False, True, True, False]
    stewards.answer(stewards.only_task(MINH), Verdict.SAME, by=MINH)
    assert not hidden(HOA)


def test_an_auditor_decides_nothing(stewards: Stewards) -> None:
    task = doubt(stewards)
    for attempt in (
        lambda: stewards.answer(task, Verdict.SAME, by=AUDITOR),
        lambda: stewards.tasks(AUDITOR),
        lambda: review_queue.claim(stewards.registry, AUDITOR, task.task_id),
        lambda: stewards.merge("000-000-000", "000-000-000", by=AUDITOR),
        lambda: add_gold(stewards.registry, LAN, task.task_id),
    ):
        refused: Callable[[], object] = attempt
        with pytest.raises(MissingRightError):
            refused()
