"""A plan as a table and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from planning.affected import Reason
from planning.changes import Change
from planning.errors import PlanError
from planning.plan import PARTS, Item, Plan

SCHEMA_VERSION = 1


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "base": plan.base,
        "everything": plan.everything,
        "changed": [asdict(change) for change in plan.changes],
        **{name: [_item_to_json(item) for item in plan.part(name)] for name in PARTS},
    }


def _item_to_json(item: Item) -> dict[str, Any]:
    reason = item.reason
    found: dict[str, Any] = {"target": item.target}
    if item.first:
        found["first"] = item.first
    return {
        **found,
        "tags": list(item.tags),
        "reason": {**asdict(reason.change), "through": list(reason.through)},
        "files": list(reason.files),
    }


def from_json(data: Any) -> Plan:
    """Read what `to_json` gave.

    Raises:
        PlanError: it is something else.
    """
    try:
        if data["schema_version"] != SCHEMA_VERSION:
            raise PlanError(f"The plan has the format {data['schema_version']}; make it again.")
        return Plan(
            base=data["base"],
            changes=tuple(Change(**change) for change in data["changed"]),
            everything=data["everything"],
            **{name: tuple(_item_from_json(item) for item in data[name]) for name in PARTS},
        )
    except (KeyError, TypeError) as error:
        raise PlanError(f"The file isn't a plan ({error}); make one with plan --json.") from error


def _item_from_json(data: Any) -> Item:
    reason = data["reason"]
    change = Change(reason["file"], reason["kind"])
    return Item(
        target=data["target"],
        reason=Reason(change, tuple(reason["through"]), tuple(data["files"])),
        tags=tuple(data["tags"]),
        first=data.get("first"),
    )


def dump(plan: Plan) -> str:
    """The plan as JSON text."""
    return json.dumps(to_json(plan), indent=1, ensure_ascii=False) + "\n"


def table(plan: Plan) -> str:
    """The plan for people: one line for each entry, with the nearest reason."""
    against = f"since {plan.base[:12]}" if plan.base else "in all"
    lines = [f"{len(plan.changes)} files changed {against}" if plan.base else "everything"]
    if plan.everything:
        lines.append(f"everything: {plan.everything}")
    rows = [
        (
            name if number == 0 else "",
            _what(item),
            "" if plan.everything and name != "models" else _why(item),
        )
        for name in PARTS
        for number, item in enumerate(plan.part(name))
    ]
    if not rows:
        return "\n".join([*lines, "nothing to check, test, package or make again"]) + "\n"
    width = max(len(what) for _, what, _ in rows)
    lines += [f"{name:8}{what:{width}}  {why}".rstrip() for name, what, why in rows]
    counts = ", ".join(f"{len(plan.part(name))} {name}" for name in PARTS)
    return "\n".join([*lines, counts]) + "\n"


def _what(item: Item) -> str:
    return f"{item.target} from {item.first}" if item.first else item.target


def _why(item: Item) -> str:
    reason = item.reason
    more = len(reason.files) - 1
    if item.first:
        through = ", ".join(name for name in reason.through if name != reason.change.file)
    else:
        through = " > ".join(reason.through)
    return "".join(
        (
            str(reason.change),
            f" and {more} more" if more > 0 else "",
            f" ({through})" if through else "",
        )
    )
