"""A registry with something in it, as often as one likes, on either database."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.postgres import PostgresServer


class Scene:
    """Copies of the registry at the URL `template`, made in a folder or on a server."""

    def __init__(self, folder: Path, server: PostgresServer, template: str) -> None:
        self.folder, self.server, self.template = folder, server, template
        self.made = 0

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a copy of its own, gone after the block."""
        self.made += 1
        if self.template.startswith("sqlite"):
            path = self.folder / f"{self.made}.db"
            shutil.copy(self.template.removeprefix("sqlite:///"), path)
            yield f"sqlite:///{path}"
        else:
            name = f"scene_{self.made}"
            yield self.server.create_database(name, template=str(sa.make_url(self.template).database))
            self.server.drop_database(name)
