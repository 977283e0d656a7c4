"""What readers said before is told to the lead who decides between them, and to nobody else."""

import pytest

from mpi.domain.errors import MissingRightError
from mpi.domain.review import Verdict
from mpi.registry.registry import Registry
from mpi.services.stewardship.earlier_readings import earlier_readings
from tests.online.desk import Desk
from tests.reviewer_ui.asked import ask
from tests.services.stewardship.stewards import HOA, LAN, MINH, Stewards
from tests.services.stored import HUNG, MAI, SCORER, index, store


def test_a_lead_reads_what_was_said_once_it_is_theirs_to_decide(registry: Registry) -> None:
    store(registry, [HUNG, MAI])
    index(registry)
    stewards = Stewards(Desk(registry, SCORER))
    task_id = ask(registry, HUNG[0].key, MAI[0].key)
    stewards.answer(stewards.task(task_id), Verdict.UNSURE, by=LAN)
    assert earlier_readings(registry, HOA, task_id) == ()
    stewards.answer(stewards.task(task_id, MINH), None, by=MINH)
    found = earlier_readings(registry, HOA, task_id)
    assert [(each.said, each.comment) for each in found] == [
        ("unsure", "as the papers say"),
        ("escalate", "as the papers say"),
    ]
    assert "lan" not in repr(found)
    with pytest.raises(MissingRightError):
        earlier_readings(registry, LAN, task_id)
