"""The `mesh` command: everything about a project by its name."""

import importlib
import json
import signal
import sys
from typing import Any

import click
from rich.console import Console

from mesh.cli.steps import run_steps, select_steps
from mesh.core.environment import code_revision
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import temporary_folder
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.program import TerminatedError, with_termination
from mesh.core.project import find_projects, get_project
from mesh.core.settings import load_settings
from mesh.core.tables import make_table, print_table
from mesh.core.tracing import tracing

console = Console(stderr=True)


class _Imported(click.Command):
    """A command in another module, which is imported when the command is called."""

    def __init__(self, name: str, attribute: str, help: str) -> None:  # noqa: A002
        super().__init__(name, help=help)
        self._attribute = attribute

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        command: click.Command = getattr(
            importlib.import_module(f"mesh.cli.{self.name}"), self._attribute
        )
        command.help = self.help
        return command.make_context(*args, **settings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, given: _show_version(context) if given else None,
    help="Show the revision of the code and exit.",
)
def cli() -> None:
    """Train, compile, validate, register and serve the models of the mesh."""


def _show_version(context: click.Context) -> None:
    click.echo(f"mesh {code_revision()}")
    context.exit()


@cli.command()
@click.argument("project")
@click.option("--host", help="Address to listen on; by default SERVE_HOST, or 127.0.0.1.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to listen on; by default SERVE_PORT, or the project's own.",
)
@click.option("--force", is_flag=True, help="Make every version again, even if it is up to date.")
def up(project: str, host: str | None, port: int | None, force: bool) -> int:
    """Run the missing steps of PROJECT's life cycle, then serve it."""
    from mesh.cli.up import up as bring_up

    return bring_up(get_project(project), host=host, port=port, force=force, console=console)


@cli.command()
@click.argument("project")
@click.option(
    "--from", "first", metavar="STEP", help="First step, such as compile:trace, trace or compile."
)
@click.option("--to", "last", metavar="STEP", help="Last step.")
@click.option("--force", is_flag=True, help="Make every version again, even if it is up to date.")
def run(project: str, first: str | None, last: str | None, force: bool) -> None:
    """Run the steps of PROJECT's life cycle, without the server."""
    found = get_project(project)
    run_steps(found, select_steps(found, first, last), force=force, console=console)


@cli.command()
@click.argument("project")
@click.argument("text")
def predict(project: str, text: str) -> None:
    """Predict TEXT with the current model of PROJECT, without a server.

    "-" as TEXT reads standard input.
    """
    from mesh.cli.predict import create_model, make_request

    model = create_model(get_project(project), load=True)
    document = _read_standard_input() if text == "-" else text
    response = model.predict(make_request(model, document))
    click.echo(json.dumps(response.model_dump(mode="json"), indent=2, ensure_ascii=False))


def _read_standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"Standard input is not UTF-8 text: {error}.") from error


@cli.command()
def projects() -> None:
    """List the projects and their steps."""
    table = make_table("project", "kind", "port", "steps", "description")
    for project in find_projects():
        table.add_row(
            project.name,
            project.kind,
            str(project.port),
            "\n".join(project.steps),
            project.description,
        )
    print_table(table)


@cli.command()
@click.argument("name")
@click.option(
    "--kind", type=click.Choice(["trained", "code-only"]), default="code-only", show_default=True
)
def new(name: str, kind: str) -> None:
    """Scaffold the project NAME with code, BUILD files and tests."""
    from mesh.cli.scaffold import scaffold

    for path in scaffold(name, kind):
        click.echo(path)


for name, attribute, text in (
    (
        "backfill",
        "command",
        "Predict with the model of PROJECT for all documents of files, here or on a Ray cluster.\n\n"
        "FLAGS are those of the step backfill:backfill, named below.",
    ),
    (
        "deploy",
        "command",
        "Write Kubernetes manifests of PROJECT's server, with a version of its model.",
    ),
    ("data", "group", "Show, tag, fetch, compare, verify and repair versions of data."),
    (
        "drift",
        "command",
        "Compare the predictions that a server of PROJECT has logged with the reference of its version.",
    ),
    ("keys", "group", "Make, list and revoke the keys of callers that servers ask for."),
    (
        "lineage",
        "command",
        "Show the origins of the version REFERENCE, or of a backfill's output: compile settings, "
        "trained version, data, code, image.",
    ),
    (
        "status",
        "command",
        "Show which steps of PROJECT (of all projects by default) are up to date, and which inputs "
        "of the others changed.",
    ),
    (
        "report",
        "command",
        "Write a report for people on the version REFERENCE, or on two versions: one HTML file.",
    ),
    ("registry", "group", "Show registered models, move aliases, verify and copy versions."),
    (
        "search",
        "command",
        "Find the settings of PROJECT's training with the best score on the validation split.\n\n"
        "Ctrl-C ends it; the same command goes on.",
    ),
    ("runs", "group", "Show the recorded trainings of a project, and compare them."),
    (
        "shadow",
        "command",
        "Compare a server with a shadow that gets a share of its predictions, too.",
    ),
    (
        "traces",
        "command",
        "Take the OpenTelemetry traces that programs of this machine send, and print them.",
    ),
    (
        "ui",
        "command",
        "Show the registry and all trainings in the browser, by MLflow's own pages.\n\nThe first use "
        "installs them; Ctrl-C ends it.",
    ),
):
    cli.add_command(_Imported(name, attribute, text))


def main() -> int:
    """Run the command line and return its exit code; a `MeshError` is shown as one sentence."""
    try:
        (log,) = load_settings([LogSettings])
        configure_logging("mesh.cli", log)
        with tracing("mesh-cli"), temporary_folder():
            exit_code: int | None = with_termination(
                lambda: cli.main(prog_name="mesh", standalone_mode=False)
            )
        return exit_code or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TerminatedError:
        return 128 + signal.SIGTERM
    except (click.Abort, KeyboardInterrupt):
        return 128 + signal.SIGINT
    except MeshError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code


if __name__ == "__main__":
    run_and_exit(main)
