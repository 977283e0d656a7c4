"""Golden records beside each other, masked, for previews: a row a field, and whether the values differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mpi.domain.model import LinkageModel
from mpi.domain.records import RecordKey, SourceRecord
from mpi.persons.survivorship import GoldenRecord, Survivor
from mpi.services.desk.masking import Masking
from mpi.services.golden_records import forms_of

Revealed = Mapping[RecordKey, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class FieldOfMany:
    """One field of several golden records: survivors with masked values, None where nobody knows one; those in clear
    are in `clear`. `differ` says whether the values mean different things, also where their masks look alike; `hides`
    that there is something to reveal."""

    field: str
    survivors: tuple[Survivor | None, ...]
    clear: tuple[str | None, ...]
    differ: bool
    hides: bool


def side_by_side(
    model: LinkageModel, golden: Iterable[GoldenRecord], revealed: Revealed | None = None
) -> list[FieldOfMany]:
    """The fields of golden records, in the order of the rules, but for those that nobody knows."""
    masking = Masking(model)
    records = [{each.field: each for each in record.survivors} for record in golden]
    rows = []
    for field in (rule.field for rule in model.survivorship):
        found = [record.get(field) for record in records]
        if any(found):
            rows.append(
                FieldOfMany(
                    field=field,
                    survivors=tuple(None if each is None else _masked(masking, each) for each in found),
                    clear=tuple(
                        None if each is None else (revealed or {}).get(each.key, {}).get(field) for each in found
                    ),
                    differ=_differ(model, field, [each for each in found if each is not None]),
                    hides=masking.hides(field),
                )
            )
    return rows


def _differ(model: LinkageModel, field: str, found: Iterable[Survivor]) -> bool:
    records = [SourceRecord(each.key, {field: each.value}) for each in found]
    return len(set(forms_of(model, field, records))) > 1


def _masked(masking: Masking, survivor: Survivor) -> Survivor:
    return replace(survivor, value=masking.value(survivor.field, survivor.value), runners_up=())
