"""Golden records beside each other, masked, for previews: a row a field, and whether the values differ."""

from collections.abc import Iterable
from dataclasses import dataclass

from mpi.domain.model import LinkageModel
from mpi.persons.survivorship import GoldenRecord, Survivor
from mpi.services.masking import Masking


@dataclass(frozen=True, slots=True)
class FieldOfMany:
    """One field of several golden records: survivors with masked values, None where nobody knows one. `differ` says
    whether the values that are known differ, also where their masks look alike."""

    field: str
    survivors: tuple[Survivor | None, ...]
    differ: bool


def side_by_side(model: LinkageModel, golden: Iterable[GoldenRecord]) -> list[FieldOfMany]:
    """The fields of golden records, in the order of the rules, but for those that nobody knows."""
    masking = Masking(model)
    records = [{each.field: each for each in record.survivors} for record in golden]
    rows = []
    for field in (rule.field for rule in model.survivorship):
        found = [record.get(field) for record in records]
        if not any(found):
            continue
        values = {each.value for each in found if each is not None}
        rows.append(FieldOfMany(field, tuple(_masked(masking, each) for each in found), len(values) > 1))
    return rows


def _masked(masking: Masking, survivor: Survivor | None) -> Survivor | None:
    if survivor is None:
        return None
    value = masking.value(survivor.field, survivor.value)
    return Survivor(survivor.field, value, survivor.key, survivor.reason, ())
