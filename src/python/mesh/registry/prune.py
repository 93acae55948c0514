"""Finds the old versions that nothing needs any longer."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from mesh.core.errors import MeshError
from mesh.registry.base import ModelRegistry, ModelVersion, Survey
from mesh.registry.history import version_before
from mesh.registry.reference import ModelReference


def unneeded(
    registry: ModelRegistry, survey: Survey, keep: int, name: str | None = None
) -> tuple[Sequence[ModelVersion], dict[str, list[str]]]:
    """The removable versions, of one model or of all, and the reasons for keeping the others.

    Kept are the newest of each model, those that an alias points at, or would after a rollback, and
    trained versions that a kept version was compiled from. A damaged record may need versions too:
    kept are those that it names, as far as they can be known.

    Args:
        survey: of all models, since versions of one may need those of another.
        keep: how many of the newest versions of each model are kept.

    Returns:
        The removable versions, compiled ones before the trained ones; and the reasons for each
        reference that is kept.

    Raises:
        MeshError: no version of that model is registered.
    """
    if name is not None:
        survey.of(name)
    versions = survey.versions
    damaged = survey.damaged.keys() - {version.reference for version in versions}
    reasons: dict[str, list[str]] = defaultdict(list)
    models: dict[str, list[ModelVersion]] = defaultdict(list)
    for version in versions:
        models[version.name].append(version)
    for model, found in models.items():
        kept = found[-keep:] if name in (None, model) else found
        for version in kept:
            reason = f"one of the newest {keep}" if name in (None, model) else "another model"
            reasons[version.reference].append(reason)
        for reference, reason in _aliased(registry, model, found, damaged):
            reasons[reference].append(reason)
    for version in versions:
        trained = version.card.trained_version
        if trained is not None and version.reference in reasons:
            reasons[trained].append(f"{version.reference} was compiled from it")
        for compiled in sorted(damaged):
            if _may_be_compiled_from(compiled, version.name):
                reasons[version.reference].append(
                    f"{compiled} can't be read, and may be compiled from it"
                )
    doomed = [version for version in versions if version.reference not in reasons]
    return sorted(doomed, key=lambda version: version.card.trained_version is None), dict(reasons)


def _may_be_compiled_from(compiled: str, trained: str) -> bool:
    key, _, kind = trained.rpartition("-")
    return kind == "TRAINED" and compiled.startswith(f"{key}-COMPILED-")


def _aliased(
    registry: ModelRegistry, model: str, versions: Iterable[ModelVersion], damaged: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The references that a model's aliases need, each with the reason."""
    moves = registry.history(model)
    aliases = {
        move.alias: move.after
        for move in moves
        if str(ModelReference(model, version=move.after)) in damaged
    }
    aliases |= {alias: version.version for version in versions for alias in version.aliases}
    if model in damaged:
        for move in moves:
            named = str(ModelReference(model, version=move.after))
            yield named, "records of aliases are damaged, and one of the others names it"
    for alias, number in aliases.items():
        reference = ModelReference(model, alias=alias)
        yield str(ModelReference(model, version=number)), f"{alias} points at it"
        try:
            before = version_before(reference, moves, number)
        except MeshError:
            # The alias has never moved, so it can't be rolled back.
            continue
        yield str(ModelReference(model, version=before)), f"{alias} can be rolled back to it"
