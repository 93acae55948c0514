"""The targets that a change affects, and the way from the change to each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from planning.changes import Change
from planning.graph import PEX, REQUIREMENT, Graph, Target


@dataclass(frozen=True)
class Reason:
    """Why something is in a plan.

    Args:
        change: the nearest changed file.
        through: the targets from the owner of that file to the one in the plan, without the latter.
        files: every changed file that has the same effect.
    """

    change: Change
    through: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def is_build_file(path: str) -> bool:
    """Whether Pants reads targets from a file."""
    return PurePosixPath(path).name == "BUILD"


def find_affected(base: Graph, head: Graph, changes: Sequence[Change]) -> dict[str, Reason]:
    """The targets of `head` that a change affects."""
    seeds: dict[Change, set[str]] = defaultdict(set)
    changed = find_changed(base, head, changes)
    for address, change in changed.items():
        seeds[change].add(address)
    for address, change in _repackaged(base, head, changed).items():
        seeds[change].add(address)
    found: dict[str, list[tuple[Change, tuple[str, ...]]]] = defaultdict(list)
    for change in sorted(seeds):
        for address, way in head.reach(seeds[change]).items():
            found[address].append((change, way[:-1]))
    return {address: _join(causes) for address, causes in found.items()}


def _join(causes: Sequence[tuple[Change, tuple[str, ...]]]) -> Reason:
    change, way = min(causes, key=lambda cause: len(cause[1]))
    return Reason(change, way, tuple(sorted(cause.file for cause, _ in causes)))


def find_changed(base: Graph, head: Graph, changes: Sequence[Change]) -> dict[str, Change]:
    """The targets that are new or different themselves, with the file that is the cause."""
    return {
        address: _cause(base, head, target, changes)
        for address, target in head.targets.items()
        if base.targets.get(address) != target
    }


def _cause(base: Graph, head: Graph, after: Target, changes: Sequence[Change]) -> Change:
    before = base.targets.get(after.address, Target(after.address, after.type))
    gone = [base.targets[name] for name in before.dependencies - head.targets.keys()]
    new = [head.targets[name] for name in after.dependencies - base.targets.keys()]
    folders = {str(folder) for folder in PurePosixPath(_folder(after.address) + "/_").parents}
    in_force = {change.file for change in changes if is_build_file(change.file)} & {
        str(PurePosixPath(folder) / "BUILD") for folder in folders
    }
    build_files = sorted(in_force, key=len, reverse=True)
    candidates = [
        *sorted(after.sources | before.sources),
        *sorted(file for target in (*gone, *new) for file in target.sources),
        *build_files,
    ]
    if before.fields != after.fields and before.content == after.content:
        candidates = [*build_files, *candidates]
    by_file = {change.file: change for change in changes}
    named = [by_file[file] for file in candidates if file in by_file]
    # Besides its own files, only a BUILD file determines a target.
    others = [change for change in changes if is_build_file(change.file)]
    return (named or others or list(changes))[0]


def _folder(address: str) -> str:
    return address.removeprefix("//").partition(":")[0].partition("@")[0]


def _repackaged(base: Graph, head: Graph, changed: Mapping[str, Change]) -> dict[str, Change]:
    """PEX files of packages alone whose content differs, since imports have changed."""
    found = {}
    for pex in head.of_type(PEX):
        if pex.address in changed or pex.holds(requirements=False):
            continue
        if _requirements(base, pex.address) != _requirements(head, pex.address):
            causes = [
                changed[target.address]
                for target in (*head.closure(pex.address), *base.closure(pex.address))
                if target.address in changed and _imports_differ(base, head, target.address)
            ]
            found[pex.address] = causes[0]
    return found


def _requirements(graph: Graph, address: str) -> set[str]:
    return {target.address for target in graph.closure(address) if target.type == REQUIREMENT}


def _imports_differ(base: Graph, head: Graph, address: str) -> bool:
    before = base.targets.get(address)
    after = head.targets.get(address)
    return before is None or after is None or before.dependencies != after.dependencies
