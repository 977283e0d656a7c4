"""The API definition: generates mpi/identity from proto/, and checks both: `python -m tools.proto [--check]`.

Everything comes from installed packages (protoc and its plugins, the protobuf files of googleapis, buf): no network.
"""

import argparse
import filecmp
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTO = Path("proto")
GENERATED = Path("mpi/identity")
MAIN_REFERENCES = ("origin/main", "main")
"""Where the definition that callers have is looked for, the first found."""

_SERVICES = "*_service.proto"
_FORMAT = ("buf", "format", "--config", '{"version":"v2"}')


class ProtoError(Exception):
    """A step failed; the message says which, and what to do."""


def _run(*command: str | Path, folder: Path = ROOT) -> None:
    """Run a program that tells its own errors. Raises ProtoError when it fails."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    if subprocess.run([str(word) for word in command], cwd=folder, env=environment, check=False).returncode:
        raise ProtoError(f"{Path(command[0]).name} failed; its lines above say why")


def _git(folder: Path, *words: str) -> bytes | None:
    """What git says, or None when it fails or is not there."""
    try:
        found = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return found.stdout if found.returncode == 0 else None


def _protoc(proto: Path, pattern: str, *outputs: str) -> None:
    """Compile the files of a folder that match a pattern."""
    spec = importlib.util.find_spec("google.rpc.status_pb2")
    if spec is None or spec.origin is None:
        raise ProtoError("googleapis-common-protos is not installed; 'make check' installs it")
    packages = Path(spec.origin).parents[2]
    files = sorted(str(path.relative_to(proto)) for path in proto.rglob(pattern))
    _run(sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}", f"-I{packages}", *outputs, *files)


def generate(proto: Path, folder: Path) -> None:
    """Write the Python code of every file of `proto` below `folder`, in the folder of its package.

    Raises ProtoError when a file does not compile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _protoc(proto, "*.proto", f"--python_out={folder}", f"--pyi_out={folder}")
    _protoc(proto, _SERVICES, f"--grpc_python_out={folder}", f"--mypy_grpc_out=quiet:{folder}")


def image(proto: Path, path: Path) -> Path:
    """Compile a folder of definitions into one descriptor set with comments, and return its path.

    Raises ProtoError when a file does not compile.
    """
    _protoc(proto, "*.proto", "--include_imports", "--include_source_info", f"--descriptor_set_out={path}")
    return path


def stale(fresh: Path, kept: Path) -> list[str]:
    """Names of generated files that are missing, changed or left over in `kept`, a package of `fresh`'s code.

    Package markers (`__init__.py`) are written by hand and do not count.
    """
    made = {path.relative_to(fresh) for path in fresh.rglob("*.py*") if "__pycache__" not in path.parts}
    held = {path.relative_to(kept) for path in kept.rglob("*.py*") if "__pycache__" not in path.parts}
    held = {path for path in held if path.name != "__init__.py"}
    same = {path for path in made & held if filecmp.cmp(fresh / path, kept / path, shallow=False)}
    return sorted(str(path) for path in (made | held) - same)


def published(checkout: Path) -> tuple[str, str] | None:
    """Name and commit of the definition to compare with; None when there is no other than this one.

    It is main's. Where nothing has changed since main, it is the one before main's last commit, so that a change is
    still compared once it has been committed. A clone without a main is compared with its own last commit.
    """
    for name in (*MAIN_REFERENCES, "HEAD"):
        if _holds_definition(checkout, name):
            if _git(checkout, "diff", "--quiet", name, "--", str(PROTO)) is not None:
                name = f"{name}^"
            commit = _git(checkout, "rev-parse", "--short", name) if _holds_definition(checkout, name) else None
            return None if commit is None else (name, commit.decode().strip())
    return None


def _holds_definition(checkout: Path, name: str) -> bool:
    return bool(_git(checkout, "ls-tree", "-r", "--name-only", name, str(PROTO)))


def check_breaking(checkout: Path, current: Path, work: Path) -> str:
    """Compare an image with the published definition; returns the line that says with what.

    Raises ProtoError when callers of the published definition would break.
    """
    found = published(checkout)
    if found is None:
        return "proto: WARNING: NOT CHECKED for breaking changes: git has no earlier definition to compare with"
    name, commit = found
    archive = _git(checkout, "archive", "--format=tar", commit, str(PROTO))
    if archive is None:
        raise ProtoError(f"git cannot read {PROTO} of {name}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(work / "published", filter="data")
    old = image(work / "published" / PROTO, work / "published.binpb")
    _run("buf", "breaking", current, "--against", old, "--config", ROOT / "buf.yaml")
    return f"proto: nothing breaks callers of {name} ({commit})"


def check(checkout: Path) -> str:
    """Lint the definition and its layout, compare it with the published one, and the generated code with a fresh one.

    Returns the line that says what it was compared with; raises ProtoError with what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        current = image(checkout / PROTO, work / "current.binpb")
        _run(*_FORMAT, "--diff", "--exit-code", checkout / PROTO)
        _run("buf", "lint", current, "--config", ROOT / "buf.yaml")
        generate(checkout / PROTO, work / "code")
        differing = stale(work / "code" / GENERATED, checkout / GENERATED)
        if differing:
            raise ProtoError(f"{GENERATED} is out of date, run 'make proto': {', '.join(differing)}")
        return check_breaking(checkout, current, work)


def rewrite(checkout: Path) -> None:
    """Lay out the definition and generate the code anew, in place; what no definition makes any more is removed."""
    _run(*_FORMAT, "--write", checkout / PROTO)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(checkout / PROTO, fresh)
        for name in stale(fresh / GENERATED, checkout / GENERATED):
            made, kept = fresh / GENERATED / name, checkout / GENERATED / name
            if made.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(made, kept)
            else:
                kept.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when something is wrong, said in one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tools.proto", description="Generate mpi/identity from proto/.")
    parser.add_argument("--check", action="store_true", help="lint, compare with main, and check the generated code")
    try:
        if parser.parse_args(arguments).check:
            sys.stderr.write(check(ROOT) + "\n")
        else:
            rewrite(ROOT)
    except ProtoError as error:
        sys.stderr.write(f"proto: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
