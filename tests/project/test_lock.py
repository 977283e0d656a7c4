"""The lock: complete, hashed, of one mind, and silent about where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("base", "test", "bench", "spark")
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)==([^ ]+)( ; [^\\]+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(lock: str) -> dict[tuple[str, str], str]:
    """Version by (package, environment marker)."""
    matches = map(PIN.match, (REQUIREMENTS / f"{lock}.txt").read_text().splitlines())
    return {(found[1], found[3] or ""): found[2] for found in matches if found}


def declared(extra: str | None) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {re.split(r"[\[<>=~!; ]", line)[0].lower().replace(".", "-").replace("_", "-") for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_a_hash(lock: str) -> None:
    strange = [
        line
        for line in (REQUIREMENTS / f"{lock}.txt").read_text().splitlines()
        if not PIN.match(line) and not HASH.match(line)
    ]
    assert strange == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (REQUIREMENTS / f"{lock}.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(blocks) == len(pins(lock))
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_what_pyproject_asks_for(lock: str) -> None:
    wanted = declared(None) | {"hatchling"} | (declared(lock) if lock != "base" else set())
    assert wanted - {name for name, _ in pins(lock)} == set()


def test_locks_agree_on_every_version() -> None:
    """Markers may differ between locks; the versions a package is pinned to may not."""
    versions: dict[str, set[frozenset[str]]] = {}
    for lock in LOCKS:
        held = pins(lock)
        for name in {name for name, _ in held}:
            pinned = frozenset(version for (other, _), version in held.items() if other == name)
            versions.setdefault(name, set()).add(pinned)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_every_lock_holds_the_base(lock: str) -> None:
    assert {name for name, _ in pins("base")} - {name for name, _ in pins(lock)} == set()


def test_no_file_of_the_lock_names_an_address_or_a_path() -> None:
    for path in REQUIREMENTS.iterdir():
        assert not re.search(r"https?://|file://|find-links|index-url|(^|\s)/\w", path.read_text()), path.name
