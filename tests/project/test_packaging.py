"""The wheel carries what the package reads at run time."""

import os
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
    wanted = tracked("mpi", "reviewer_ui", "linkage_rules")
    assert {"reviewer_ui/templates/sign_in.html", "reviewer_ui/static/desk.css"} <= held
    assert "reviewer_ui/locale/vi/LC_MESSAGES/access.po" in held
    assert {name.replace("linkage_rules/", "mpi/_linkage_rules/", 1) for name in wanted} - held == set()
    assert "mpi/py.typed" in held
    assert not any(name.startswith(("linkage_rules/", "tests/", "tools/")) for name in held)


def test_the_desk_of_a_wheel_serves_its_pages(tmp_path: Path) -> None:
    """From what the wheel holds alone, away from the checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-c", _ASK_FOR_PAGES, str(tmp_path / "installed")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    home, status, css = done.stdout.split()
    assert Path(home).is_relative_to(tmp_path)
    assert (status, css) == ("200", "200")


_ASK_FOR_PAGES = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import reviewer_ui.app
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret
from reviewer_ui import assets
from reviewer_ui.wiring import DeskServices

async def status(app, path):
    told = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        told.append(message)
    scope = {"type": "http", "asgi": {"version": "3.0"}, "method": "GET", "path": path, "raw_path": path.encode()}
    await app({**scope, "query_string": b"", "headers": [], "scheme": "http", "root_path": ""}, receive, send)
    return told[0]["status"]

with Registry.open("sqlite:///registry.db", secret=RegistrySecret.generate(), create=True) as registry:
    app = reviewer_ui.app.create_app(DeskServices(registry, None), secure=False)
    paths = ("/sign-in", assets.address("desk.css"))
    print(reviewer_ui.app.__file__, *(asyncio.run(status(app, path)) for path in paths))
"""
