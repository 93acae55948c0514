"""Finding versions in MLflow."""

from collections import defaultdict
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException

from mesh.core.errors import MeshError, UsageError
from mesh.registry.history import AliasMove
from mesh.registry.mlflow_records import FINGERPRINT_TAG, Record, is_ours, read_moves, read_record
from mesh.registry.reference import LATEST, ModelReference

_SHOWN = 10


def find_record(client: MlflowClient, reference: ModelReference) -> Record:
    """The record of one version.

    Raises:
        MeshError: there is no such version; the message says what there is.
    """
    try:
        stored = _find(client, reference)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        stored = None
    if stored is None or not is_ours(stored):
        raise MeshError(_what_exists(client, reference))
    return read_record(stored, stored.aliases)


def find_fingerprint(client: MlflowClient, name: str, fingerprint: str) -> Record | None:
    """The record of the newest version of a model with a fingerprint."""
    # MLflow's texts end at the first of their quotes, whatever is before it.
    quote = '"' if "'" in fingerprint else "'"
    if quote in fingerprint:
        raise UsageError(f"{fingerprint!r} is not a fingerprint: it has both kinds of quotes.")
    condition = f"tags.`{FINGERPRINT_TAG}` = {quote}{fingerprint}{quote}"
    newest = _newest(client, _search(client, name, condition))
    return read_record(newest, newest.aliases) if newest else None


def list_records(client: MlflowClient, name: str | None) -> list[Record]:
    """The records of all versions, or of one model's, by name and number."""
    stored = sorted(_search(client, name), key=lambda version: (version.name, int(version.version)))
    aliases = {model: _aliases(client, model) for model in {version.name for version in stored}}
    return [read_record(version, aliases[version.name][int(version.version)]) for version in stored]


def list_moves(client: MlflowClient, name: str) -> list[AliasMove]:
    """The moves of a model's aliases, in order.

    Raises:
        MeshError: no version of that model is registered, or a record of a move is damaged.
    """
    if not any(_search(client, name)):
        raise MeshError(unknown_model(client, name))
    return read_moves(name, client.get_registered_model(name).tags)


def _find(client: MlflowClient, reference: ModelReference) -> MlflowVersion | None:
    if reference.version is not None:
        return client.get_model_version(reference.name, str(reference.version))
    if reference.alias != LATEST:
        return client.get_model_version_by_alias(reference.name, str(reference.alias))
    return _newest(client, _search(client, reference.name))


def _newest(client: MlflowClient, found: Iterator[MlflowVersion]) -> MlflowVersion | None:
    """The highest number, with the aliases that a search leaves out."""
    newest = max(found, key=lambda version: int(version.version), default=None)
    return newest and client.get_model_version(newest.name, str(newest.version))


def _search(client: MlflowClient, name: str | None, *conditions: str) -> Iterator[MlflowVersion]:
    named = (f"name = '{name}'",) if name else ()
    condition = " and ".join((*named, *conditions)) or None
    token = None
    while True:
        page = client.search_model_versions(condition, page_token=token)
        yield from filter(is_ours, page)
        token = page.token
        if not token:
            return


def _aliases(client: MlflowClient, name: str) -> dict[int, list[str]]:
    aliases = defaultdict(list)
    for alias, version in client.get_registered_model(name).aliases.items():
        aliases[int(version)].append(alias)
    return aliases


def _what_exists(client: MlflowClient, reference: ModelReference) -> str:
    versions = [int(version.version) for version in _search(client, reference.name)]
    if not versions:
        return unknown_model(client, reference.name)
    if reference.version is not None:
        shown = ", ".join(str(version) for version in sorted(versions)[-_SHOWN:])
        return f"There is no {reference}; the newest versions of {reference.name} are {shown}."
    aliases = _aliases(client, reference.name)
    shown = ", ".join(
        sorted(f"{alias} ({version})" for version in versions for alias in aliases[version])
    )
    return f"{reference.name} has no alias {reference.alias!r}; it has: {shown or 'none'}."


def unknown_model(client: MlflowClient, name: str) -> str:
    """A sentence that says that a model has no versions, and which ones have."""
    names = sorted({version.name for version in _search(client, None)})
    return f"No version of {name} is registered; registered are: {', '.join(names) or 'none'}."
