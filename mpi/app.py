"""The composition root: settings to an open registry, a rule catalogue and compiled rules. The only wiring.

Nothing happens at import; what a shell asks for is opened when it asks.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from mpi.domain.errors import InvalidInputError
from mpi.domain.model import LinkageModel
from mpi.registry.registry import Registry
from mpi.registry.secret import RegistrySecret, load_or_create
from mpi.rules.catalogue import Catalogue
from mpi.rules.folders import default_root
from mpi.rules.load import load_model, load_rule_file
from mpi.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of one rule family: its folder, its model and the raw columns that every source file must have."""

    folder: Path
    model: LinkageModel
    required_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """What every shell starts from."""

    settings: Settings

    @classmethod
    def start(cls) -> "App":
        """Read the settings and turn logging on (standard error). Raises InvalidInputError for a setting of no use."""
        settings = read_settings()
        logging.basicConfig(
            level=settings.log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
        )
        return cls(settings)

    def open_registry(self, url: str | None, *, create: bool, single_records: bool = False) -> Registry:
        """The registry at `url` or, without one, at the settings' URL; for `single_records` see `Registry.open`.

        Raises InvalidInputError when neither names one, and what `Registry.open` raises.
        """
        place = url or self.settings.db
        if not place:
            raise InvalidInputError("no registry is named: give --db URL or set MPI_DB, such as sqlite:///registry.db")
        secret = self._secret(create=create)
        return Registry.open(place, secret=secret, create=create, single_records=single_records)

    def _secret(self, *, create: bool) -> RegistrySecret | None:
        path = self.settings.secret_file
        if path is None:
            return None
        return load_or_create(path) if create else RegistrySecret.from_file(path)

    def catalogue(self) -> Catalogue:
        """The rule families there are."""
        return Catalogue(self.settings.rules_root or default_root())

    def rules(self, name: str, *, trained: bool = True) -> Rules:
        """Rules by `family`, `family@version` or folder.

        Raises NotFoundError, RuleFileError, and UntrainedLevelError where parameters are wanted and missing.
        """
        folder = self.catalogue().find(name)
        model = load_model(folder, trained=trained)
        return Rules(folder, model, load_rule_file(folder).required_columns)
