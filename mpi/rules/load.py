"""A folder of linkage_rules to a LinkageModel. What is wrong with a rule file is found here, with file, line and field.

Layout: <family>/<version>/rules.yaml, parameters.json, term_frequencies.parquet (and cases.yaml, read by `cases.py`).
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from mpi.domain.errors import NotFoundError, UntrainedLevelError
from mpi.domain.model import LinkageModel
from mpi.rules.checks import (
    Checker,
    check_folder,
    check_required_columns,
    read_survivorship,
    read_thresholds,
    read_vetoes,
)
from mpi.rules.documents import Problems, read_bytes, read_document
from mpi.rules.fields import read_fields
from mpi.rules.folders import PARAMETERS, RULES, TERM_FREQUENCIES
from mpi.rules.parameters import read_parameters, read_term_frequencies
from mpi.rules.schema import RuleFile, add_shape_problems


def read_rule_file(path: Path, data: bytes) -> tuple[RuleFile, Problems]:
    """The shape of a rule file and the place to note what else is wrong with it. Raises RuleFileError."""
    document = read_document(path, data)
    problems = Problems(document)
    try:
        return RuleFile.model_validate(document.data), problems
    except ValidationError as error:
        add_shape_problems(error, problems)
        problems.refuse()
        raise


def load_rule_file(folder: Path) -> RuleFile:
    """What rules.yaml says beyond the model: status, description, required columns.

    Only its shape is checked. Raises NotFoundError, RuleFileError.
    """
    path = folder / RULES
    return read_rule_file(path, read_bytes(path))[0]


def digest_of(contents: dict[str, bytes]) -> str:
    """SHA-256 over names and bytes of files, in the order of their names; each is preceded by its length."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        for part in (name.encode(), contents[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def _compile(folder: Path, data: bytes) -> LinkageModel:
    file, problems = read_rule_file(folder / RULES, data)
    place = folder.resolve()
    check_folder(file, place.parent.name, place.name, problems)
    fields, columns = read_fields(file, problems)
    problems.refuse()  # without its columns every later name would be unknown
    check_required_columns(file, fields, problems)
    widths = {column: width for rule in fields for column, width in rule.widths.items()}
    checker = Checker(columns, widths, problems)
    model = LinkageModel(
        family=file.family,
        version=file.version,
        digest=digest_of({RULES: data}),
        columns=columns,
        fields=fields,
        blocking=checker.blocking(file),
        comparisons=checker.comparisons(file),
        vetoes=read_vetoes(file, problems),
        frequency_caps=checker.frequency_caps(file),
        thresholds=read_thresholds(file, problems),
        survivorship=read_survivorship(file, fields, problems),
        trust=dict(file.trust),
        parameters=None,
        term_frequencies={},
    )
    problems.refuse()
    return model


def _trained_file(path: Path, model: LinkageModel) -> bytes:
    try:
        return read_bytes(path)
    except NotFoundError as error:
        raise UntrainedLevelError(
            f"{path}: is missing; {model.name} has no training yet; run: mpi rules train"
        ) from error


def load_model(folder: Path, *, trained: bool = True) -> LinkageModel:
    """The linkage model of a folder <family>/<version>; with `trained` False without parameters and their files.

    The digest is that of the files read. Raises NotFoundError for a folder without rules.yaml, RuleFileError for
    anything wrong in a file, UntrainedLevelError where m or u are missing.
    """
    contents = {RULES: read_bytes(folder / RULES)}
    model = _compile(folder, contents[RULES])
    if not trained:
        return model
    for name in (PARAMETERS, TERM_FREQUENCIES):
        contents[name] = _trained_file(folder / name, model)
    parameters = read_parameters(
        folder / PARAMETERS, contents[PARAMETERS], comparisons=model.comparisons, model=model.name
    )
    frequencies = read_term_frequencies(folder / TERM_FREQUENCIES, contents[TERM_FREQUENCIES], model.comparisons)
    return replace(model, digest=digest_of(contents), parameters=parameters, term_frequencies=frequencies)
