"""What link, evaluate and demo show people, from the very values that --json prints."""

from pathlib import Path
from typing import Any

from rich.console import RenderableType
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
    if rows[-1][-1]:
        table.caption = f"rejected rows, with reasons: {done['rejects_file']}"
        table.caption_justify = "left"
    return table


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
            Text(f"{number(answered['tasks_joined'])} of {number(answered['tasks'])} review tasks ask about one person")
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
    db = f"sqlite:///{out}/registry.db"
    following = "\n".join(
        [
            "What to type next:",
            f"  mpi export cross-references --db {db} --out {out}/people.csv",
            f"  mpi export review-tasks --db {db} --out {out}/tasks.csv",
            f"  mpi person ENTERPRISE_ID --db {db}",
            f"  mpi explain SOURCE:ID SOURCE:ID --db {db}",
        ]
    )
    return [title, *link_summary(done["link"]), *evaluation_summary(done), Text(following)]
