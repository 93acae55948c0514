"""`mesh keys`: make, list and revoke the keys of callers that servers ask for."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.cli.paths import TypedPath
from mesh.core.errors import MeshError, UsageError
from mesh.core.settings import MeshSettings, load_settings
from mesh.core.tables import make_table, print_table
from mesh.serve.access.keys import NAME, Key, change_keys, make_key, read_key_file
from mesh.serve.access.scopes import Scope, parse_scopes


class _KeysSettings(MeshSettings):
    model_config = SettingsConfigDict(env_prefix="SERVE_")

    api_keys_file: Path | None = Field(None, description="The file of keys.")


_file = click.option(
    "--file", "given", type=TypedPath(), help="The file of keys; by default SERVE_API_KEYS_FILE."
)


def _path(given: Path | None) -> Path:
    (settings,) = load_settings([_KeysSettings], complete=False)
    path: Path | None = given or settings.api_keys_file
    if path is None:
        raise UsageError("No file of keys is named; give --file, or set SERVE_API_KEYS_FILE.")
    return path


@click.group("keys")
def group() -> None:
    pass


@group.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([str(scope) for scope in Scope]),
    multiple=True,
    default=(str(Scope.PREDICT),),
    show_default=True,
    help="What the caller may do; it can be repeated. inspect is for /metrics, /docs and the bio.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 36500),
    default=365,
    show_default=True,
    help="Until the key expires.",
)
@click.option("--requests-per-minute", type=click.IntRange(1), help="Of this caller alone.")
@_file
def new(
    name: str, scopes: Sequence[str], days: int, requests_per_minute: int | None, given: Path | None
) -> None:
    """Make a key for the caller NAME, and print it: it is shown this once, and kept nowhere.

    The file keeps its digest. Running servers accept the key within seconds.
    """
    if not re.fullmatch(NAME, name):
        raise UsageError(
            f"{name!r} is not a name of a caller: 1 to 64 letters, digits, dots, dashes and "
            "underscores are needed."
        )
    path = _path(given)
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    text, key = make_key(name, parse_scopes(scopes), expires, requests_per_minute)

    def add(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        if any(each.name == name for each in keys):
            raise MeshError(
                f"{path} has a key of {name} already; revoke it, or name the new one otherwise, such "
                f"as {name}-2: both are accepted until then."
            )
        return (*keys, key)

    change_keys(path, add)
    click.echo(text)
    click.echo(f"{path} has its digest; it expires at {expires:%F %R} UTC.", err=True)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@_file
def list_keys(as_json: bool, given: Path | None) -> None:
    """List the keys of the file, without what they could be made from."""
    keys = read_key_file(_path(given)).keys
    if as_json:
        rows = [key.model_dump(mode="json", exclude={"sha256"}) for key in keys]
        click.echo(json.dumps(rows, indent=2))
        return
    table = make_table("name", "id", "scopes", "created (UTC)", "expires (UTC)", "requests/min")
    for key in keys:
        table.add_row(
            key.name,
            key.id,
            ", ".join(sorted(key.scopes)),
            _time(key.created),
            f"{_time(key.expires)}{' (expired)' if key.is_expired else ''}",
            str(key.requests_per_minute or ""),
        )
    print_table(table)


@group.command()
@click.argument("name")
@_file
def revoke(name: str, given: Path | None) -> None:
    """Remove the key NAME, given by its name or id. Running servers refuse it within seconds."""
    path = _path(given)
    removed = [key for key in read_key_file(path).keys if name in (key.name, key.id)]
    if not removed:
        raise MeshError(f"{path} has no key {name!r}; `mesh keys list` shows its keys.")
    change_keys(path, lambda keys: tuple(key for key in keys if key not in removed))
    click.echo(f"{removed[0].name} ({removed[0].id}) is revoked", err=True)


def _time(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" if time else "never"
