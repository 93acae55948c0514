"""Makes a plan: `plan --base REV`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from planning.affected import Reason
from planning.changes import Change, find_base, find_changes, write_tree
from planning.errors import PlanError
from planning.graph import Graph
from planning.models import find_models, find_projects
from planning.pants import may_be_owned, read_base_graph, read_graph, read_tools
from planning.plan import (
    Item,
    Plan,
    find_cause_of_everything,
    find_unowned,
    is_documentation,
    model_items,
    plan_change,
    plan_everything,
)
from planning.report import dump, table
from planning.run import add_arguments, chosen, run_plan


def make_plan(root: Path, revision: str) -> Plan:
    """The plan for the differences between the working tree and the commit where it branched off.

    Raises:
        PlanError: there is no such revision, or Pants can't read the working tree.
    """
    commit = find_base(root, revision)
    changes = find_changes(root, commit)
    if all(
        is_documentation(change.file) and not may_be_owned(root, change.file) for change in changes
    ):
        return Plan(base=commit, changes=tuple(changes))
    with tempfile.TemporaryDirectory(prefix="plan-") as scratch, ThreadPoolExecutor() as pool:
        files = Path(scratch).resolve() / "base"
        write_tree(root, commit, files)
        cause = find_cause_of_everything(changes)
        reading = None if cause else pool.submit(read_base_graph, root, commit, files)
        head = Graph.parse(read_graph(root))
        models = model_items(find_models(files, root, changes, head))
        if reading is None:
            why = f"{cause}, on which every target depends"
        elif error := reading.exception():
            if not isinstance(error, PlanError):
                raise error
            why = f"the targets of {commit[:12]} can't be read: {error}"
        else:
            base = reading.result()
            unowned = find_unowned(base, head, changes)
            if unowned is None:
                tools = read_tools(root)
                return plan_change(base, head, changes, commit=commit, tools=tools, models=models)
            why = f"{unowned}, and no target says what it is for"
    return plan_everything(head, base=commit, why=why, changes=changes, models=models)


def plan_all(root: Path) -> Plan:
    """The plan with everything.

    Raises:
        PlanError: Pants can't read the working tree.
    """
    why = "requested"
    reason = Reason(Change(why, "modified"))
    models = [Item(project, reason, first="train:train") for project in find_projects(root)]
    graph = Graph.parse(read_graph(root))
    return plan_everything(graph, base=None, why=why, changes=(), models=models)


def main(root: Path, arguments: Sequence[str]) -> int:
    """Print a plan, and run it if asked.

    Raises:
        PlanError: no plan can be made, or an argument is wrong.
    """
    parser = argparse.ArgumentParser(prog="plan", description="List what a change needs, and why.")
    since = parser.add_mutually_exclusive_group(required=True)
    since.add_argument(
        "--base", metavar="REV", help="the revision to compare the working tree with"
    )
    since.add_argument("--all", action="store_true", help="plan everything")
    parser.add_argument(
        "--json", metavar="FILE", help='write the plan as JSON; "-" instead of the table'
    )
    parser.add_argument("--run", action="store_true", help="run the plan")
    add_arguments(parser)
    parsed = parser.parse_args(arguments)
    parts = chosen(parsed)
    plan = plan_all(root) if parsed.all else make_plan(root, parsed.base)
    if parsed.json == "-":
        sys.stdout.write(dump(plan))
    else:
        sys.stdout.write(table(plan))
        if parsed.json:
            Path(parsed.json).write_text(dump(plan), encoding="utf-8")
    sys.stdout.flush()
    return run_plan(root, plan, parts, parsed.shard) if parsed.run else 0
