"""The plan of a change: the targets to check, test and package, and the models to make again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from planning.affected import Reason, find_affected, is_build_file
from planning.changes import Change
from planning.graph import PEX, REQUIREMENT, Graph, Target
from planning.models import ModelItem

EVERYTHING = (
    # The launcher and what it reads.
    "pants",
    "build-support/bootstrap/*",
    "build-support/pants.lock",
    # Settings of Pants, its plugins, settings of the tools that it runs, and the functions of BUILD files.
    "pants*.toml",
    "pyproject.toml",
    "build-support/macros/*",
    "build-support/pants_plugins/*",
)
"""Files on which every target depends, unknown to Pants."""

DOCUMENTATION = ("*.md", "docs/*", "LICENSE")
"""Files without an effect, unless a target owns them."""

ALL_CHECKS = "::"
_SKIPS_OF_OTHER_GOALS = {"skip_tests", "skip_push"}
PARTS = ("checks", "tests", "pex", "images", "models")


@dataclass(frozen=True)
class Item:
    """One entry: the address of a target, `::` for all, or a project with the step to start from."""

    target: str
    reason: Reason
    tags: tuple[str, ...] = ()
    first: str | None = None


@dataclass(frozen=True)
class Plan:
    """The needs of a change.

    Args:
        base: the commit that the working tree is compared with; None if there is none.
        changes: the files that differ.
        everything: why all targets are in the plan.
    """

    base: str | None
    changes: tuple[Change, ...] = ()
    everything: str | None = None
    checks: tuple[Item, ...] = ()
    tests: tuple[Item, ...] = ()
    pex: tuple[Item, ...] = ()
    images: tuple[Item, ...] = ()
    models: tuple[Item, ...] = ()

    def part(self, name: str) -> tuple[Item, ...]:
        """The entries of one of `PARTS`."""
        items: tuple[Item, ...] = getattr(self, name)
        return items


def is_documentation(path: str) -> bool:
    """Whether a file is only meant to be read."""
    return not is_build_file(path) and any(fnmatchcase(path, name) for name in DOCUMENTATION)


def find_cause_of_everything(changes: Sequence[Change]) -> Change | None:
    """The first changed file on which every target depends."""
    for change in changes:
        if any(fnmatchcase(change.file, pattern) for pattern in EVERYTHING):
            return change
    return None


def find_unowned(base: Graph, head: Graph, changes: Sequence[Change]) -> Change | None:
    """The first changed file that no target owns."""
    for change in changes:
        known = base.files | head.files
        if change.file not in known and not (
            is_build_file(change.file) or is_documentation(change.file)
        ):
            return change
    return None


def plan_everything(
    head: Graph, *, base: str | None, why: str, changes: Sequence[Change], models: Iterable[Item]
) -> Plan:
    """The plan with every target, and with the given models."""
    cause = find_cause_of_everything(changes) or (changes[0] if changes else None)
    reason = Reason(cause or Change(why, "modified"), (), (cause.file,) if cause else ())
    affected = dict.fromkeys(head.targets, reason)
    return _sort_into_parts(
        head, affected, base=base, changes=changes, models=models, everything=why, checks=reason
    )


def plan_change(
    base: Graph,
    head: Graph,
    changes: Sequence[Change],
    *,
    commit: str,
    tools: Mapping[str, str],
    models: Iterable[Item],
) -> Plan:
    """The plan for the targets that a change affects.

    Args:
        tools: the resolve that each tool is installed from.
    """
    affected = find_affected(base, head, changes)
    checks = None
    for change in changes:
        # Rules about imports also apply to unchanged targets; deleted files may still be named.
        if is_build_file(change.file) or (
            change.kind == "deleted" and not is_documentation(change.file)
        ):
            checks = Reason(change, (), (change.file,))
            break
    resolves = {
        str(head.targets[address].fields.get("resolve")): reason
        for address, reason in affected.items()
        if head.targets[address].type == REQUIREMENT
    }
    tests = resolves.get(tools.get("pytest", ""))
    for tool, resolve in tools.items():
        if tool != "pytest" and resolve in resolves:
            checks = checks or resolves[resolve]
    return _sort_into_parts(
        head,
        affected,
        base=commit,
        changes=changes,
        models=models,
        everything=None,
        checks=checks,
        tests=tests,
    )


def model_items(found: Iterable[ModelItem]) -> list[Item]:
    """The entries of models."""
    items = []
    for model in found:
        change = model.changes[0] if model.changes else Change(model.inputs[0], "modified")
        reason = Reason(change, model.inputs, tuple(change.file for change in model.changes))
        items.append(Item(model.project, reason, first=model.first))
    return items


def _sort_into_parts(
    head: Graph,
    affected: Mapping[str, Reason],
    *,
    base: str | None,
    changes: Sequence[Change],
    models: Iterable[Item],
    everything: str | None,
    checks: Reason | None,
    tests: Reason | None = None,
) -> Plan:
    """A plan of affected targets; `checks` and `tests` are the reasons for all of their kind."""

    def items(targets: Iterable[Target], for_all: Reason | None = None) -> tuple[Item, ...]:
        return tuple(
            Item(target.address, reason, target.tags)
            for target in sorted(targets, key=lambda target: target.address)
            if (reason := affected.get(target.address, for_all))
        )

    return Plan(
        base=base,
        changes=tuple(changes),
        everything=everything,
        checks=(Item(ALL_CHECKS, checks),) if checks else items(_checked(head, affected)),
        tests=items(_tests(head), tests),
        pex=items(head.of_type(PEX)),
        images=items(head.of_type("docker_image")),
        models=tuple(models),
    )


def _tests(head: Graph) -> list[Target]:
    return [
        target
        for target in head.targets.values()
        if target.type.endswith("_test") and not target.fields.get("skip_tests")
    ]


def _checked(head: Graph, affected: Mapping[str, Reason]) -> list[Target]:
    """Affected targets that linters and type checkers read; one of each pair in two resolves."""
    found: dict[tuple[str, str], Target] = {}
    for address in sorted(affected):
        target = head.targets[address]
        tools = [name for name in target.fields if name.startswith("skip_")]
        if not target.generates_others and set(tools) - _SKIPS_OF_OTHER_GOALS:
            found.setdefault((target.type, address.partition("@")[0]), target)
    return list(found.values())
