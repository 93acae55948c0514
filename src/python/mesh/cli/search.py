"""`mesh search`: find the settings of a training with the best score."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click

from mesh.cli.paths import TypedPath
from mesh.core.errors import MeshError, UsageError
from mesh.core.program import Program
from mesh.core.project import get_project
from mesh.core.settings import variable_name
from mesh.core.steps import find_program
from mesh.core.tables import make_table, print_table
from mesh.core.user import user_and_host
from mesh.core.workspace_lock import locked
from mesh.lifecycle.recipe import load_recipe
from mesh.lifecycle.search.processes import Processes
from mesh.lifecycle.search.ray_jobs import RayJobs
from mesh.lifecycle.search.searching import Search, Workers, in_words, search
from mesh.lifecycle.search.space import changed, read_space
from mesh.lifecycle.search.study import Trial
from mesh.lifecycle.training.settings import FineTuneSettings

_STEP = "train:train"


@click.command("search")
@click.argument("project")
@click.option("--space", required=True, type=TypedPath(), help="TOML file of what is tried.")
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many trials there are in all; the same command goes on with those that are missing.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trials at the same time."
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Trials are jobs of the Ray cluster with this dashboard, such as http://host:8265; auto is "
    "what RAY_ADDRESS names, or else the cluster on this machine.",
)
@click.option("--cpus", type=click.IntRange(1), help="With --ray: cores of a trial; by default 1.")
@click.option("--gpus", type=click.IntRange(0), help="With --ray: GPUs of a trial; by default 0.")
@click.option("--register", is_flag=True, help="Register the winner, by train:train.")
@click.option("--retrain", is_flag=True, help="Train the winner again, and register that.")
def command(
    project: str,
    space: Path,
    trials: int,
    jobs: int,
    ray: str | None,
    cpus: int | None,
    gpus: int | None,
    register: bool,
    retrain: bool,
) -> None:
    if ray is None and (cpus, gpus) != (None, None):
        raise UsageError("--cpus and --gpus are for --ray; trials here share this machine's cores.")
    recipe = load_recipe(get_project(project))
    if recipe.training is None:
        raise UsageError(f"{project} trains no network, so there is nothing to search.")
    program = find_program(recipe.project, _STEP)
    loaded, workspace, data, registry = program.load_settings()
    settings = FineTuneSettings(**dict(loaded))
    chosen = Search(
        recipe=recipe,
        settings=settings,
        workspace=workspace,
        data=data,
        registry=registry,
        space=read_space(space, settings),
        trials=trials,
        at_once=jobs,
    )

    def open_workers() -> Workers:
        if ray is None:
            return Processes()
        owner = f"{user_and_host()} {chosen.folder}"
        return RayJobs(ray, owner, 1 if cpus is None else cpus, gpus or 0)

    try:
        study = search(chosen, open_workers)
    except KeyboardInterrupt:
        click.echo("interrupted: the same command goes on with the search", err=True)
        raise
    best = study.best()
    _show(chosen, study.trials(), best)
    if register or retrain:
        if best is None:
            raise MeshError(f"No trial of {project} has a result, so none is registered.")
        _publish(chosen, program, best, again=retrain)


def _show(chosen: Search, trials: Sequence[Trial], best: Trial | None) -> None:
    """Print all trials, and how the best one's settings are used."""
    table = make_table("trial", "state", chosen.space.metric, "epoch", "run", "settings")
    for trial in trials:
        ended = trial.ended
        table.add_row(
            str(trial.number),
            ended.state,
            "" if ended.value is None else f"{ended.value:.4f}",
            str(ended.epoch or ""),
            ended.run[:8],
            ended.reason or in_words(trial.parameters),
        )
    print_table(table)
    if best:
        click.echo(f"\nThe best is trial {best.number}. To train with its settings:\n")
        click.echo(f"    export {_as_variables(best.parameters)}")


def _as_variables(parameters: Mapping[str, Any]) -> str:
    return " ".join(
        f"{variable_name(FineTuneSettings, name)}={quote(_as_text(value))}"
        for name, value in parameters.items()
    )


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _publish(chosen: Search, program: Program, best: Trial, *, again: bool) -> None:
    """Register the winner: its network that was kept, or, where that is gone, a new one.

    Args:
        again: train it again in any case.
    """
    force = again or chosen.settings.force
    settings = changed(chosen.settings, {**best.parameters, "force": force})
    with locked(chosen.workspace, chosen.project, f"a search of {chosen.project.name}"):
        if again and best.ended.network:
            kept = chosen.workspace.output(chosen.project, "checkpoints") / best.ended.network
            shutil.rmtree(kept, ignore_errors=True)
        program.run(settings, chosen.workspace, chosen.data, chosen.registry)
