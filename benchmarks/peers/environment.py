"""An environment of its own for a peer whose packages would not live beside ours: a venv from hashed requirements."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.places import HERE, WORK
from benchmarks.scenario import log


class PeerUnavailableError(RuntimeError):
    """A peer cannot be installed here; the message says why."""


def peer_python(name: str) -> Path:
    """The Python of a peer's environment, made under benchmarks/work/ when it is not there.

    Raises PeerUnavailableError when its packages cannot be had.
    """
    requirements = HERE / "peers" / name / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:8]
    folder = WORK / "environments" / f"{name}-{digest}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        log.info("installing %s into an environment of its own", name)
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(folder)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
        asked = [str(python), *install, "--only-binary", ":all:", "-r", str(requirements)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerUnavailableError(f"{name} could not be installed: {done.stderr.strip()[-300:]}")
        ready.touch()
    return python
