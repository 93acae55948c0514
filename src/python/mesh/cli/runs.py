"""`mesh runs`: show the recorded trainings of a project, and compare them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mesh.cli.curves import Curves, sparkline, write_plot
from mesh.cli.paths import TypedPath
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError
from mesh.core.project import Project, get_project
from mesh.core.settings import load_settings
from mesh.core.tables import make_table, print_table
from mesh.registry.factory import open_runs
from mesh.registry.runs import DATA_TAG, ERROR_TAG, LATEST_RUN, REVISION_TAG, Run, Runs, find_run
from mesh.registry.settings import RegistrySettings

_SCORES = ("test/macro_f1", "test/f1", "search/best", "trial/value", "validation/score")
"""The main score is the first one of these that a run has."""
_CURVES = ("train/", "validation/", "search/")
_SHOWN = 8
"""Digits of an id."""

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def _open(project: str) -> tuple[Project, Runs]:
    found = get_project(project)
    (settings,) = load_settings([RegistrySettings], env_file=find_env_file(Path()))
    return found, open_runs(settings)


@click.group("runs")
def group() -> None:
    pass


@group.command("list")
@click.argument("project")
@_as_json
def list_runs(project: str, as_json: bool) -> None:
    """List the trainings of PROJECT, newest first, and the trials of a search below it."""
    found, runs = _open(project)
    known = runs.list(found.name)
    if as_json:
        click.echo(json.dumps([_summary(run) for run in known], indent=2))
        return
    table = make_table(
        "run", "started (UTC)", "state", "minutes", "score", "version", "data", "code"
    )
    for run in _with_trials(known):
        table.add_row(
            _label(run, found),
            f"{run.started:%Y-%m-%d %H:%M}",
            run.state,
            _minutes(run),
            _score(run),
            run.version,
            run.tags.get(DATA_TAG, ""),
            run.tags.get(REVISION_TAG, "")[:_SHOWN],
        )
    print_table(table)


@group.command()
@click.argument("project")
@click.argument("run", default=LATEST_RUN)
@_as_json
def show(project: str, run: str, as_json: bool) -> None:
    """Show a training of PROJECT: parameters, figures and curves.

    RUN is the start of a run's id, or the version that it made; the latest run by default.
    """
    found, runs = _open(project)
    shown = find_run(runs.list(found.name), run)
    curves = _read_curves(runs, [shown])
    if as_json:
        histories = {
            name: [[each.step, each.value] for each in of_run[0]] for name, of_run in curves.items()
        }
        details = {"parameters": shown.parameters, "figures": shown.figures, "tags": shown.tags}
        click.echo(json.dumps(_summary(shown) | details | {"curves": histories}, indent=2))
        return
    table = make_table("", f"run {shown.id[:_SHOWN]}")
    for name, value in _described(shown).items():
        if value:
            table.add_row(name, value)
    for name, number in sorted(shown.figures.items()):
        if name not in curves:
            table.add_row(name, f"{number:.4g}")
    print_table(table)
    _print_curves(curves, [shown])


@group.command()
@click.argument("project")
@click.argument("chosen", metavar="[RUN]...", nargs=-1)
@click.option(
    "--plot", type=TypedPath(), help="Also draw the curves into this file: .png, .svg or .pdf."
)
def compare(project: str, chosen: Sequence[str], plot: Path | None) -> None:
    """Compare trainings of PROJECT: parameters that differ, figures, and curves.

    RUN is the start of a run's id, or the version that it made; the last two runs by default.
    """
    found, runs = _open(project)
    known = runs.list(found.name)
    compared = [find_run(known, text) for text in chosen] or list(reversed(known[:2]))
    if len(compared) < 2:
        raise MeshError(
            f"Two runs or more are compared, and there is {len(compared) or 'none'}: name them, "
            f"or train {found.name} again; `mesh runs list {found.name}` lists its runs."
        )
    curves = _read_curves(runs, compared)
    if plot:
        write_plot(curves, [_title(run) for run in compared], plot)
    table = make_table("", *[_title(run) for run in compared])
    for name, values in _differences(compared).items():
        table.add_row(name, *values)
    figures = {name for run in compared for name in run.figures}
    for name in sorted(figures):
        if name not in curves and not name.startswith("system/"):
            table.add_row(name, *[_number(run.figures.get(name)) for run in compared])
    print_table(table)
    _print_curves(curves, compared)
    if plot:
        click.echo(f"the curves are in {plot}")


def _with_trials(runs: Sequence[Run]) -> Iterator[Run]:
    """All runs, and below each search its trials, the first one first."""
    known = {run.id for run in runs}
    trials: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        trials[run.parent].append(run)
    for run in runs:
        if run.parent not in known:
            yield run
            yield from reversed(trials[run.id])


def _label(run: Run, project: Project) -> str:
    """The beginning of a run's id, and its name unless it is that of the project's model."""
    name = "" if run.name == project.trained_model else f" {run.name}"
    return f"{'  ' if run.parent else ''}{run.id[:_SHOWN]}{name}"


def _differences(runs: Sequence[Run]) -> dict[str, list[str]]:
    """The facts and parameters that aren't the same in all runs, by name."""
    described = [_described(run) for run in runs]
    names = {name: None for each in described for name in each}
    found = {name: [each.get(name, "") for each in described] for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _described(run: Run) -> dict[str, str]:
    """The facts and parameters of a run, by name."""
    return {
        "started (UTC)": f"{run.started:%Y-%m-%d %H:%M:%S}",
        "state": run.state,
        "error": run.tags.get(ERROR_TAG, ""),
        "minutes": _minutes(run),
        "version": run.version,
        "data version": run.tags.get(DATA_TAG, ""),
        "code revision": run.tags.get(REVISION_TAG, ""),
        **dict(sorted(run.parameters.items())),
    }


def _read_curves(runs: Runs, compared: Sequence[Run]) -> Curves:
    names = {name for run in compared for name in run.figures if name.startswith(_CURVES)}
    return {
        name: [runs.history(run.id, name) if name in run.figures else [] for run in compared]
        for name in sorted(names)
    }


def _print_curves(curves: Curves, runs: Sequence[Run]) -> None:
    if not curves:
        return
    table = make_table("curve", "run", "first", "last", "least", "most", "")
    for name, of_runs in curves.items():
        for run, history in zip(runs, of_runs, strict=True):
            values = [figure.value for figure in history]
            if values:
                ends = (values[0], values[-1], min(values), max(values))
                table.add_row(
                    name, run.id[:_SHOWN], *[f"{each:.4g}" for each in ends], sparkline(values)
                )
    print_table(table)


def _title(run: Run) -> str:
    return f"{run.id[:_SHOWN]} {run.version or run.state}"


def _summary(run: Run) -> dict[str, Any]:
    found = asdict(run) | {
        "started": run.started.isoformat(),
        "ended": run.ended and run.ended.isoformat(),
        "version": run.version,
        "parent": run.parent,
    }
    return {name: value for name, value in found.items() if not isinstance(value, Mapping)}


def _minutes(run: Run) -> str:
    return f"{(run.ended - run.started).total_seconds() / 60:.1f}" if run.ended else ""


def _score(run: Run) -> str:
    name = next((name for name in _SCORES if name in run.figures), None)
    return f"{run.figures[name]:.3f} {name}" if name else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
