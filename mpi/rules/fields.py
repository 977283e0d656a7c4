"""Fields of a rule file: which standardiser reads which raw columns, and which standard columns come of it."""

from mpi.domain.model import FieldRule
from mpi.domain.records import ColumnKind
from mpi.rules.documents import Location, Problems
from mpi.rules.schema import SELF, FieldShape, RuleFile
from mpi.standardise.record import STANDARDISERS, Standardiser


def _column(prefix: str, output: str) -> str:
    return f"{prefix}_{output}" if output else prefix


def _widths(shape: FieldShape, standardiser: Standardiser, where: Location, problems: Problems) -> dict[str, int]:
    outputs = {each.name or SELF: each for each in standardiser.outputs}
    widths: dict[str, int] = {}
    for name, width in shape.widths.items():
        here = (*where, "widths", name)
        if name not in outputs:
            problems.add_unknown(here, f"{shape.standardiser} output", name, outputs)
        elif outputs[name].kind is not ColumnKind.TEXT:
            problems.add(here, f"widths are those of text outputs; this one is {outputs[name].kind.value}")
        else:
            widths[_column(shape.prefix, outputs[name].name)] = width
    return widths


def read_fields(file: RuleFile, problems: Problems) -> tuple[tuple[FieldRule, ...], dict[str, ColumnKind]]:
    """Field rules and the standard columns they yield, with their kinds; FieldRule.widths are by standard column."""
    rules: list[FieldRule] = []
    columns: dict[str, ColumnKind] = {}
    for index, shape in enumerate(file.fields):
        where: Location = ("fields", index)
        standardiser = STANDARDISERS.get(shape.standardiser)
        if standardiser is None:
            problems.add_unknown((*where, "standardiser"), "standardiser", shape.standardiser, STANDARDISERS)
            continue
        for name in shape.inputs:
            if name not in standardiser.inputs:
                problems.add_unknown((*where, "inputs", name), f"{shape.standardiser} input", name, standardiser.inputs)
        for output in standardiser.outputs:
            column = _column(shape.prefix, output.name)
            if column in columns:
                problems.add((*where, "prefix"), f"column {column} is also that of an earlier field")
            columns.setdefault(column, output.kind)
        widths = _widths(shape, standardiser, where, problems)
        rules.append(FieldRule(shape.prefix, shape.standardiser, dict(shape.inputs), widths))
    return tuple(rules), columns
