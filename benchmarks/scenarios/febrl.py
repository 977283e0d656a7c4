"""Scenario `febrl`: the published FEBRL data, our `febrl` rules beside the examples that two peers publish."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.peers import febrl_ecm, febrl_splink
from benchmarks.peers.febrl_data import NAMES, Febrl, load
from benchmarks.scenario import KEY, Context, Result, log, rules_entry, rules_folder
from mpi.batch.evaluate import evaluate_labels
from mpi.batch.link import Table, link_table
from mpi.batch.tables import columns_of_table
from mpi.batch.train import train
from mpi.domain.errors import UntrainedLevelError
from mpi.domain.model import LinkageModel
from mpi.matching.scorer import Scorer
from mpi.persons.clusters import no_constraints
from mpi.rules.load import load_model
from mpi.standardise.record import standardise_table

SEED = 11
MAXIMUM_PAIRS = 5_000_000


def _shipped() -> LinkageModel | None:
    try:
        return load_model(rules_folder("febrl"))
    except UntrainedLevelError:
        return None


def _people(model: LinkageModel, data: Febrl) -> dict[str, float]:
    """Pairwise figures of the people that the batch link makes; for two files too it may link inside either."""
    scorer = Scorer(model)
    table = standardise_table(data.records, model.fields)
    rows = scorer.pack(columns_of_table(table, scorer.columns), KEY)
    nobody = np.full(len(rows), -1, dtype=np.int64)
    records = Table(rows, nobody, np.ones(len(rows), dtype=np.bool_), no_constraints())
    linkage = link_table(scorer, records, key=KEY, records=len(rows), next_person=1)
    return evaluate_labels(linkage.plan.person_of, data.persons).pairwise.to_dict()


def _ours(model: LinkageModel, settings: str, data: Febrl) -> dict[str, Any]:
    return {"tool": "this project", "settings": settings, **_people(model, data)}


def _trained_here(data: Febrl) -> LinkageModel:
    """The rules with what training finds in this data set alone, without labels: what the peers do."""
    untrained = load_model(rules_folder("febrl"), trained=False)
    table = standardise_table(data.records, untrained.fields)
    parameters, frequencies = train(untrained, table, seed=SEED, max_pairs=MAXIMUM_PAIRS)
    return replace(untrained, parameters=parameters, term_frequencies=frequencies)


def _data_set(name: str, *, training: bool) -> dict[str, Any]:
    data = load(name)
    log.info("%s: %s records, %s true pairs", name, f"{len(data.persons):,}", f"{data.true_pairs:,}")
    shipped = _shipped()
    rows = [_ours(shipped, "shipped parameters", data)] if shipped else []
    if training or not shipped:
        rows.append(_ours(_trained_here(data), "trained on this data, no labels", data))
    rows += febrl_ecm.rows(data) + febrl_splink.rows(data)
    return {"name": name, "records": len(data.persons), "true_pairs": data.true_pairs, "rows": rows}


def run(context: Context) -> Result:
    """FEBRL 1 to 4 with the `febrl` rules, beside recordlinkage's ECM classifier and Splink's published examples.

    Pairwise precision, recall and F1. Ours with the shipped parameters and, but in the quick tier, with parameters
    trained on the data set alone without labels, as the peers' are. A peer's rows are its documented example as it
    stands and a kinder variant. Goal: F1 of at least 0.99 on FEBRL 4.
    """
    model = _shipped() or load_model(rules_folder("febrl"), trained=False)
    data_sets = [_data_set(name, training=not context.quick) for name in NAMES]
    return {"rules": rules_entry(model), "seed": SEED, "data_sets": data_sets}
