"""Two import contracts that import-linter does not ship: what one floor may import, and who may import a package.

Both look at direct imports only, and hold for a floor that does not exist yet. pyproject.toml lists the contracts.
"""

import sys
from collections.abc import Iterable, Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

INPUT_OUTPUT_MODULES = frozenset(
    {"asyncio", "dbm", "fcntl", "ftplib", "http", "imaplib", "logging", "mmap", "poplib", "select", "selectors"}
    | {"shelve", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "urllib", "xmlrpc"}
)
"""Standard modules that no pure floor may import."""

PURE_STANDARD_MODULES = frozenset(sys.stdlib_module_names) - INPUT_OUTPUT_MODULES


def _is_inside(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _direct_imports(graph: ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in sorted(graph.modules):
        if not graph.is_module_squashed(importer):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                yield importer, imported


def _render(check: ContractCheck) -> None:
    for importer, imported, lines in check.metadata["broken"]:
        output.print_error(f"- {importer} may not import {imported} (line {lines})", bold=False)
    output.new_line()


def _result(graph: ImportGraph, broken: list[tuple[str, str]]) -> ContractCheck:
    rows = []
    for importer, imported in broken:
        details = graph.get_import_details(importer=importer, imported=imported)
        rows.append((importer, imported, ", ".join(str(detail["line_number"]) for detail in details)))
    return ContractCheck(kept=not rows, metadata={"broken": rows})


class FloorContract(Contract):
    """`floor` imports itself, the standard library and `may_import`; a `pure` one nothing that does input or output."""

    type_name = "floor"
    floor: str = fields.StringField()  # type: ignore[assignment]  # a field becomes its value on the instance
    may_import: list[str] = fields.ListField(subfield=fields.StringField())  # type: ignore[assignment]
    pure: bool = fields.BooleanField()  # type: ignore[assignment]

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports of the floor that its list does not name."""
        standard = PURE_STANDARD_MODULES if self.pure else sys.stdlib_module_names
        allowed = {self.floor, *self.may_import, *standard}
        imports = [pair for pair in _direct_imports(graph) if _is_inside(pair[0], [self.floor])]
        return _result(graph, [pair for pair in imports if not _is_inside(pair[1], allowed)])

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        _render(check)


class HeldContract(Contract):
    """Only modules inside `holders` import `packages`."""

    type_name = "held"
    packages: list[str] = fields.ListField(subfield=fields.StringField())  # type: ignore[assignment]
    holders: list[str] = fields.ListField(subfield=fields.StringField())  # type: ignore[assignment]

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports of the packages from anywhere else."""
        imports = [pair for pair in _direct_imports(graph) if _is_inside(pair[1], self.packages)]
        return _result(graph, [pair for pair in imports if not _is_inside(pair[0], self.holders)])

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        _render(check)
