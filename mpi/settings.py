"""What may be set from outside the command line: environment variables that begin with MPI_. Read once, by app.py."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mpi.domain.errors import InvalidInputError


class Settings(BaseSettings):
    """Settings of one process; each is the environment variable MPI_ and its name in capitals.

    `db` is the registry's URL where `--db` is not given; `rules_root` holds the rule families (those that came with the
    package by default); `secret_file` holds the registry's secret (its default place by default).
    """

    model_config = SettingsConfigDict(env_prefix="MPI_", frozen=True, extra="ignore")

    db: str | None = None
    rules_root: Path | None = None
    secret_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "warning"


def read_settings() -> Settings:
    """Settings of the environment. Raises InvalidInputError naming the variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = "_".join(["MPI", *(str(part).upper() for part in problem["loc"])])
        raise InvalidInputError(f"the environment variable {name}: {problem['msg']}") from None
