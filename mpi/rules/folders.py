"""What the files of a rule version are called, and where the families that came with this package lie."""

from pathlib import Path

import mpi

RULES = "rules.yaml"
PARAMETERS = "parameters.json"
TERM_FREQUENCIES = "term_frequencies.parquet"


def default_root() -> Path:
    """The linkage_rules that came with this package: inside an installed wheel, beside the package in a checkout."""
    package = Path(mpi.__file__).parent
    packaged = package / "_linkage_rules"
    return packaged if packaged.is_dir() else package.parent / "linkage_rules"
