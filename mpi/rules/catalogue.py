"""Which rule families and versions there are, and where their folders lie."""

from pathlib import Path

from mpi.domain.errors import MpiError, NotFoundError, RuleFileError
from mpi.rules.documents import read_bytes, read_document
from mpi.rules.folders import RULES


def _order(version: str) -> tuple[int, ...] | None:
    """A version as numbers, so that 1.10.0 comes after 1.9.0; None for what is no version."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if len(parts) == 3 and all(p.isdecimal() for p in parts) else None


def _versions(family: Path) -> list[str]:
    """Versions of a family, newest first."""
    if not family.is_dir():
        return []
    found = [(_order(path.name), path.name) for path in family.iterdir() if (path / RULES).is_file()]
    return [name for order, name in sorted(found, key=lambda each: each[0] or (), reverse=True) if order]


def _is_released(folder: Path) -> bool:
    path = folder / RULES
    try:
        return bool(read_document(path, read_bytes(path)).data.get("status") == "released")
    except MpiError:
        return False


class Catalogue:
    """The rule families below one folder, <root>/<family>/<version>/."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Versions by family, newest first; families by name."""
        if not self.root.is_dir():
            return {}
        families = sorted(path for path in self.root.iterdir() if path.is_dir())
        return {path.name: tuple(_versions(path)) for path in families if _versions(path)}

    def find(self, name: str) -> Path:
        """Folder of `family@version`, or of a family's newest released version (its newest, when none is released).

        A path with a slash stands for itself: a folder of one version, or of a family.

        Raises NotFoundError with what there is, RuleFileError for an empty version.
        """
        family, _, version = name.partition("@")
        is_path = "/" in family or "\\" in family
        place = Path(name).expanduser()
        if is_path and (place / RULES).is_file():
            return place
        folder = Path(family).expanduser() if is_path else self.root / family
        versions = _versions(folder) if family not in ("", ".", "..") else []
        if not versions and is_path:
            raise NotFoundError(f"{name} is no folder of rules: {RULES} is not in it")
        if not versions:
            raise NotFoundError(f"unknown rule family '{family}'; there are: {self._families()}")
        if not version and "@" in name:
            raise RuleFileError(f"'{name}' names no version; {family} has: {', '.join(versions)}")
        if version and version not in versions:
            raise NotFoundError(f"{family} has no version '{version}'; it has: {', '.join(versions)}")
        if not version:
            released = (each for each in versions if len(versions) > 1 and _is_released(folder / each))
            version = next(released, versions[0])
        return folder / version

    def _families(self) -> str:
        return ", ".join(self.versions()) or f"none in {self.root}"
