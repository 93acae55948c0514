"""`mesh status`: which steps are up to date, and which inputs of the others have changed."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import click

from mesh.core.errors import MeshError
from mesh.core.project import Project, find_projects, get_project
from mesh.core.status import Status
from mesh.core.steps import find_program
from mesh.core.tables import make_table, print_table

_MADE = {
    "ingest:ingest": "data",
    "register:register": "data",
    "train:train": "trained version",
    "compile:trace": "compiled model",
    "serve:download": "served version",
}
"""The results that later steps read, by the step that makes them."""

_SHOWN = 3


@click.command("status")
@click.argument("project", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(project: str | None, as_json: bool) -> int:
    projects = [get_project(project)] if project else find_projects()
    found = [(one.name, step, status) for one in projects for step, status in statuses(one)]
    if as_json:
        rows = [{"project": name, "step": step, **asdict(status)} for name, step, status in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        table = make_table("project", "step", "state", "result", "because of")
        for name, step, status in found:
            table.add_row(name, step, status.state, status.result, _shorten(status))
        print_table(table)
    unknown = [status.because for _, _, status in found if status.state == "unknown"]
    # A registry that can't be reached is the reason of many steps.
    for because in dict.fromkeys(unknown):
        click.echo(f"error: {' '.join(because)}", err=True)
    return int(bool(unknown))


def _shorten(status: Status) -> str:
    """The first changed inputs; the reason of an unknown state is printed below the table."""
    if status.state == "unknown":
        return ""
    more = len(status.because) - _SHOWN
    return ", ".join([*status.because[:_SHOWN], *([f"{more} more"] if more > 0 else [])])


def statuses(project: Project) -> Iterator[tuple[str, Status]]:
    """The state of every step with a result, in order.

    A step with unchanged inputs is out of date too if an earlier step is, since that step will
    change an input.
    """
    changing: str | None = None
    for step in project.steps:
        try:
            program = find_program(project, step)
            if program.status is None:
                continue
            status = program.find_status()
        except MeshError as error:
            status = Status("unknown", because=(str(error).strip(),))
        if changing and status.state == "up to date":
            status = replace(status, state="out of date", because=(changing,))
        yield step, status
        if status.state == "out of date" and step in _MADE:
            changing = f"{_MADE[step]} ({step} is out of date)"
