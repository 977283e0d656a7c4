"""What link, evaluate and demo show people, from the very values that --json prints."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Group, RenderableType
from rich.text import Text

from mpi.cli.output import facts, number, plain_table

Values = dict[str, Any]

_MEASURES = {"pairwise": "pairs of records", "b_cubed": "B-cubed", "exact_cluster": "whole people"}


def link_summary(done: Values) -> list[RenderableType]:
    """Records by source, people, links by rule, blocking, capped values, seconds a step."""
    parts: list[RenderableType] = [
        Text.assemble((f"Run {done['run_id']}", "bold"), f" with {done['rules']}"),
        _records(done),
        facts(
            "People",
            {
                "people": done["people"],
                "created": done["people_created"],
                "merged into others": done["people_merged"],
                "records linked": done["records_linked"],
                "review tasks open": f"{number(done['review_tasks_open'])} ({number(done['review_tasks_opened'])} new, "
                f"{number(done['review_tasks_closed'])} closed)",
            },
        ),
    ]
    if done["resumed"]:
        parts.insert(1, Text(done["resumed"]))
    if done["candidate_pairs"]:
        parts.append(_blocking(done))
    if any(each["values"] for each in done["capped"].values()):
        rows = [(column, each["values"], each["records"]) for column, each in done["capped"].items() if each["values"]]
        parts.append(plain_table("Values shared by too many, taken as missing", ["column", "values", "records"], rows))
    parts.append(_seconds(done))
    return parts


def _records(done: Values) -> RenderableType:
    names = ["read", "stored", "unchanged", "rejected"]
    rows: list[list[object]] = [
        [system, *(counts[name] for name in names)] for system, counts in done["sources"].items()
    ]
    rows.append(["all", *(sum(counts[name] for counts in done["sources"].values()) for name in names)])
    table = plain_table("Records", ["source", *names], rows)
    if not rows[-1][-1]:
        return table
    return Group(table, Text(f"rejected rows, each with its reason: {done['rejects_file']}"))


def _blocking(done: Values) -> RenderableType:
    """Rules by what they did; a rule that made no pair and cut nothing is left out."""
    rows = []
    for rule in done["blocking"]:
        links = done["links_by_rule"].get(rule["rule"], 0)
        if rule["pairs"] or rule["cut_blocks"] or links:
            numbers = (
                rule["pairs"],
                rule["largest_block"],
                rule["refined_blocks"],
                rule["cut_blocks"],
                rule["pairs_cut"],
            )
            rows.append((rule["rule"], links, *numbers))
    share = done["candidate_pairs"] / max(done["records"], 1)
    title = f"Candidate pairs: {number(done['candidate_pairs'])}, {share:.1f} a record"
    columns = ["blocking rule", "records linked", "pairs", "largest block", "refined", "cut", "pairs cut"]
    return plain_table(title, columns, rows)


def _seconds(done: Values) -> RenderableType:
    steps = {step: f"{seconds:8.2f} s" for step, seconds in done["seconds"].items() if seconds >= 0.005}
    total = {"all": f"{sum(done['seconds'].values()):8.2f} s", "peak memory": f"{done['peak_memory_mb']:>7,} MB"}
    return facts("Time and memory", steps | total)


def evaluation_summary(found: Values) -> list[RenderableType]:
    """Precision, recall and F1, with review tasks as they are and, if asked, answered rightly."""
    plain = found["evaluation"]
    answered = found.get("evaluation_review_answered")
    rows = [_measured(plain, key, "") for key in _MEASURES]
    if answered is not None:
        rows += [_measured(answered, key, ", review answered") for key in _MEASURES]
    parts: list[RenderableType] = [
        plain_table("Against the truth", ["over", "precision", "recall", "F1"], rows),
        Text(
            f"{number(plain['right_pairs'])} of {number(plain['true_pairs'])} true pairs found, "
            f"{number(plain['predicted_pairs'] - plain['right_pairs'])} wrong; "
            f"{number(plain['right_clusters'])} of {number(plain['true_clusters'])} people have all their records and "
            "no other"
        ),
    ]
    if plain["records_predicted_only"] or plain["records_truth_only"]:
        parts.append(
            Text(
                f"compared on {number(plain['records'])} records; {number(plain['records_predicted_only'])} are only "
                f"in the registry, {number(plain['records_truth_only'])} only in the truth"
            )
        )
    if answered is not None:
        parts.append(
            Text(
                f"{number(answered['tasks_joined'])} of {number(answered['tasks'])} review tasks are about two records "
                "of one person"
            )
        )
    return parts


def _measured(evaluation: Values, key: str, suffix: str) -> list[object]:
    measure = evaluation[key]
    return [_MEASURES[key] + suffix, *(f"{measure[name]:.5f}" for name in ("precision", "recall", "f1"))]


def demo_summary(done: Values, out: Path) -> list[RenderableType]:
    """The city, the link, the figures, and what to type next."""
    city = done["city"]
    title = Text(
        f"A city of {number(city['persons'])} people in {number(city['households'])} households, seed {city['seed']}"
    )
    return [title, *link_summary(done["link"]), *evaluation_summary(done), _following(done["exports"], out)]


def _following(exports: dict[str, str], out: Path) -> RenderableType:
    """What to type next, with a real person and a real question."""
    command, db = program(), f"--db sqlite:///{out}/registry.db"
    person = pq.read_table(exports["cross_references"])["enterprise_id"][0].as_py()
    lines = [f"{command} person {person} {db}", f"{command} export golden-records {db} --out {out}/golden-records.csv"]
    for task in pq.read_table(exports["review_tasks"]).drop_null().slice(0, 1).to_pylist():
        keys = " ".join(f"{task[f'source_system_{side}']}:{task[f'source_record_id_{side}']}" for side in "ab")
        lines.insert(0, f"{command} explain {keys} {db}")
    written = f"Written: {', '.join(exports.values())}"
    return Text("\n".join([written, "What to type next:", *(f"  {line}" for line in lines)]))


def program() -> str:
    """How this command is called from here: by its name where that finds it, else by its path."""
    called = Path(sys.argv[0])
    if called.name != "mpi" or shutil.which("mpi") is not None:
        return "mpi"
    return os.path.relpath(called)
