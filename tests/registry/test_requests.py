import pytest

from mpi.domain.errors import RegistryError
from mpi.registry.registry import Registry
from mpi.registry.requests import KEY_CONSTRAINT, AnsweredRequest, answered, keep


def _answer(number: int) -> AnsweredRequest:
    return AnsweredRequest(f"request-{number}", "resolve", bytes([number % 256]) * 32, b"\x00answer %d\xff" % number)


def test_an_answer_comes_back_byte_for_byte(registry: Registry) -> None:
    with registry.begin() as uow:
        keep(uow, [_answer(1), _answer(2), _answer(3)])
    with registry.snapshot() as uow:
        found = answered(uow, ["request-3", "request-1", "nobody's"])
    assert found == {"request-1": _answer(1), "request-3": _answer(3)}


def test_nothing_is_asked_and_nothing_is_kept(registry: Registry) -> None:
    with registry.begin() as uow:
        keep(uow, [])
        assert answered(uow, []) == {}


@pytest.mark.parametrize("count", [1, 3, 1500])
def test_every_id_of_many_is_found(registry: Registry, count: int) -> None:
    rows = [_answer(number) for number in range(count)]
    with registry.begin() as uow:
        keep(uow, rows)
        assert answered(uow, [row.request_id for row in rows]) == {row.request_id: row for row in rows}


def test_an_id_is_kept_once_and_the_rest_of_the_transaction_goes_with_it(registry: Registry) -> None:
    with registry.begin() as uow:
        keep(uow, [_answer(1)])
    with pytest.raises(RegistryError) as raised, registry.begin() as uow:
        keep(uow, [_answer(2), _answer(1)])
    assert raised.value.metadata.get("constraint", KEY_CONSTRAINT) == KEY_CONSTRAINT
    with registry.snapshot() as uow:
        assert answered(uow, ["request-1", "request-2"]) == {"request-1": _answer(1)}
