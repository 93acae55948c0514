"""The command line as a whole: its imports, and its paths."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mesh.cli.mesh import cli
from mesh.cli.paths import CALLED_FROM, TypedPath, typed_path

HELP = """
import sys
from mesh.cli.mesh import cli
cli(["--help"], standalone_mode=False)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_help_imports_no_more_than_it_needs() -> None:
    result = subprocess.run(
        [sys.executable, "-c", HELP],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    imported = set(result.stdout.splitlines()[-1].split())
    assert "click" in imported
    assert not imported & {"cryptography", "httpx", "numpy", "prometheus_client", "pyarrow"}


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_commands_describe_themselves(name: str) -> None:
    all_commands = CliRunner().invoke(cli, ["--help"]).output
    own = CliRunner().invoke(cli, [name, "--help"])

    assert own.exit_code == 0
    first = cli.commands[name].get_short_help_str(limit=30).removesuffix("...")
    assert first in all_commands
    assert first in own.output


@pytest.mark.parametrize("command", ["data", "registry"])
def test_unknown_command_of_a_group(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "nothing"])

    assert result.exit_code == 2
    assert "No such command 'nothing'" in result.output


@pytest.mark.parametrize(
    ("called_from", "typed", "meant"),
    [
        (None, "a.env", "a.env"),
        (".", "a.env", "a.env"),
        ("sub", "a.env", "sub/a.env"),
        ("sub", "../a.env", "sub/../a.env"),
        ("sub", "/a.env", "/a.env"),
    ],
)
def test_paths_are_relative_to_where_the_command_was_called(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    called_from: str | None,
    typed: str,
    meant: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(CALLED_FROM, raising=False)
    if called_from:
        monkeypatch.setenv(CALLED_FROM, str(tmp_path / called_from))

    expected = tmp_path / meant if called_from == "sub" else Path(meant)
    assert typed_path(typed) == expected

    @click.command()
    @click.argument("path", type=TypedPath())
    def show(path: Path) -> None:
        click.echo(path)

    assert CliRunner().invoke(show, [typed]).output == f"{expected}\n"
