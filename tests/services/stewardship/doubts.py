"""People whom the rules leave in doubt, and the task that asks about them."""

from mpi.services.stewardship.review_queue import ReviewTask
from tests.services.stewardship.stewards import Stewards

LAN_THI = {"name": "lan thi", "birth": "19850101"}
SLIPPED = {"name": "lan thi", "birth": "19850201"}


def doubt(stewards: Stewards, one: str = "a:1", other: str = "b:1") -> ReviewTask:
    """Two records that may be one person; the task that asks."""
    stewards.desk.comes(one, **LAN_THI)
    stewards.desk.comes(other, **SLIPPED)
    (task,) = (each for each in stewards.tasks() if {str(each.record_a), str(each.record_b)} == {one, other})
    return task


def established(stewards: Stewards) -> ReviewTask:
    """A question about two people of two records each."""
    for record, values in (("a:1", LAN_THI), ("a:2", LAN_THI), ("b:1", SLIPPED), ("b:2", SLIPPED)):
        number = "71" if record.startswith("a") else ""
        phone = "0901234567" if record.startswith("b") else ""
        given = {"number": number, "phone": phone}
        stewards.desk.comes(record, **values, **{name: value for name, value in given.items() if value})
    assert stewards.id_of("a:1") == stewards.id_of("a:2")
    assert stewards.id_of("b:1") == stewards.id_of("b:2")
    return stewards.only_task()
