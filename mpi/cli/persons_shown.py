"""How a person is shown: the golden record with its reasons, the records behind it, and the history."""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mpi.cli.masking import Mask
from mpi.cli.output import moment, plain_table
from mpi.domain.model import LinkageModel
from mpi.services.enquire import HistoryEntry, PersonView


def person_values(
    view: PersonView, history: Sequence[HistoryEntry], model: LinkageModel, *, reveal: bool
) -> dict[str, Any]:
    """The person as plain values, for JSON and for `person_parts`."""
    mask = Mask(model, reveal=reveal)
    return {
        "enterprise_id": view.enterprise_id,
        "asked_for": view.asked_for,
        "redirected": view.redirected,
        "merged_ids": list(view.merged_ids),
        "golden_record": [
            {
                "field": each.field,
                "value": mask.value(each.field, each.value),
                "from": str(each.key),
                "reason": each.reason,
                "other_values": [
                    {"value": mask.value(each.field, value), "from": str(key)} for value, key in each.runners_up
                ],
            }
            for each in view.golden.survivors
        ],
        "records": [
            {
                "record": str(each.key),
                "recorded_at": each.recorded_at,
                "values": mask.values(each.values),
                "made_by": each.link.made_by if each.link else None,
                "rules": each.link.rule_version if each.link else None,
                "via": str(each.link.via) if each.link and each.link.via else None,
                "match_weight": each.link.match_weight if each.link else None,
                "since_revision": each.link.since_revision if each.link else None,
            }
            for each in view.records
        ],
        "history": [
            {
                "revision": each.revision,
                "recorded_at": each.recorded_at,
                "kind": each.kind,
                "enterprise_id": each.enterprise_id,
                "made_by": each.made_by,
                "run_id": each.run_id,
                "records": [str(key) for key in each.records],
                "others": list(each.others),
                "steward": each.steward,
                "decision": each.decision_id,
            }
            for each in history
        ],
    }


def person_parts(values: dict[str, Any]) -> list[RenderableType]:
    """What a person reads."""
    title = Text(values["enterprise_id"], style="bold")
    if values["redirected"]:
        title.append(f"  ({values['asked_for']} was merged into this person)", style="yellow")
    elif values["merged_ids"]:
        title.append(f"  (took over {', '.join(values['merged_ids'])})", style="dim")
    golden: list[list[object]] = [
        [
            each["field"],
            each["value"],
            each["from"],
            each["reason"],
            "; ".join(other["value"] for other in each["other_values"]),
        ]
        for each in values["golden_record"]
    ]
    records: list[list[object]] = [
        [each["record"], each["recorded_at"] or "", _why(each)] for each in values["records"]
    ]
    history: list[list[object]] = [
        [
            str(each["revision"]),
            moment(each["recorded_at"]),
            each["kind"],
            _author(each),
            ", ".join([*each["records"], *each["others"]]),
        ]
        for each in values["history"]
    ]
    return [
        title,
        plain_table("Golden record", ["field", "value", "from", "why", "other values"], golden),
        plain_table("Records", ["record", "recorded", "joined"], records),
        plain_table("History", ["revision", "when", "event", "by", "records and people"], history),
    ]


def _author(event: dict[str, Any]) -> str:
    """Who made an event, in which run or by which decision."""
    named = [event["made_by"] if event["steward"] is None else f"{event['made_by']} {event['steward']}"]
    named += [f"{what} {event[name]}" for what, name in _MADE_IN if event[name] is not None]
    return ", ".join(named)


_MADE_IN = (("run", "run_id"), ("decision", "decision"))


def _why(record: dict[str, Any]) -> str:
    if record["made_by"] is None:
        return "not placed yet"
    if record["made_by"] == "steward":
        return "placed by a steward"
    if record["via"] is None:
        return f"began the person, by {record['made_by']}"
    return f"through {record['via']}, {record['match_weight']:.1f} bits, by {record['made_by']} ({record['rules']})"
