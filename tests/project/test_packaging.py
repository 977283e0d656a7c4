"""The wheel carries what the package reads at run time."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


def test_wheel_holds_the_package_and_the_linkage_rules(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = tracked("mpi", "linkage_rules")
    assert {name.replace("linkage_rules/", "mpi/_linkage_rules/", 1) for name in wanted} - held == set()
    assert "mpi/py.typed" in held
    assert not any(name.startswith(("linkage_rules/", "tests/", "tools/")) for name in held)
