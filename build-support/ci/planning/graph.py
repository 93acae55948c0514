"""The dependencies of all targets, from `./pants peek`."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

REQUIREMENT = "python_requirement"
PEX = "pex_binary"


@dataclass(frozen=True)
class Target:
    """One target.

    Args:
        address: as Pants writes it.
        type: such as `python_test`.
        sources: paths of its files.
        dependencies: addresses of its dependencies, including inferred ones.
        fields: everything else from its BUILD file.
        content: a digest of the files.
    """

    address: str
    type: str
    sources: frozenset[str] = frozenset()
    dependencies: frozenset[str] = frozenset()
    fields: Mapping[str, Any] = field(default_factory=dict)
    content: str | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its BUILD file."""
        return tuple(self.fields.get("tags") or ())

    @property
    def generates_others(self) -> bool:
        """Whether it only represents targets of single files."""
        return "sources_raw" in self.fields

    def holds(self, *, requirements: bool) -> bool:
        """Whether the target has third-party packages, or otherwise sources; a PEX may lack one."""
        half = "include_requirements" if requirements else "include_sources"
        return self.type != PEX or bool(self.fields.get(half, True))


class Graph:
    """The targets of one revision."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self.targets = {target.address: target for target in targets}

    @classmethod
    def parse(cls, text: str) -> "Graph":
        """Read what `./pants peek ::` prints."""
        return cls(_parse_target(item) for item in json.loads(text))

    @cached_property
    def dependents(self) -> Mapping[str, Sequence[str]]:
        """The addresses that directly depend on an address."""
        found: dict[str, list[str]] = defaultdict(list)
        for target in self.targets.values():
            for dependency in target.dependencies:
                found[dependency].append(target.address)
        return {address: sorted(dependents) for address, dependents in found.items()}

    @cached_property
    def files(self) -> frozenset[str]:
        """Every file that a target owns."""
        return frozenset(file for target in self.targets.values() for file in target.sources)

    def of_type(self, *types: str) -> Iterator[Target]:
        """The targets of some types."""
        return (target for target in self.targets.values() if target.type in types)

    def closure(self, address: str) -> list[Target]:
        """A target and all its dependencies, nearest first."""
        seen = {address}
        queue = deque([address])
        found = []
        while queue:
            if (target := self.targets.get(queue.popleft())) is None:
                continue
            found.append(target)
            new = sorted(target.dependencies - seen)
            seen.update(new)
            queue.extend(new)
        return found

    def reach(self, seeds: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """All dependents of some targets, each with the shortest way to it from one of them.

        A PEX without sources is only reached through a requirement, one without requirements never.
        """
        ways: dict[tuple[str, bool], tuple[str, ...]] = {}
        queue: deque[tuple[str, bool]] = deque()
        for seed in sorted(seeds):
            state = (seed, self.targets[seed].type == REQUIREMENT)
            ways[state] = (seed,)
            queue.append(state)
        while queue:
            address, by_requirement = state = queue.popleft()
            for name in self.dependents.get(address, ()):
                dependent = self.targets[name]
                after = (name, by_requirement or dependent.type == REQUIREMENT)
                if after not in ways and dependent.holds(requirements=after[1]):
                    ways[after] = (*ways[state], name)
                    queue.append(after)
        shortest: dict[str, tuple[str, ...]] = {}
        for (address, _), way in ways.items():
            if address not in shortest or len(way) < len(shortest[address]):
                shortest[address] = way
        return shortest


def _parse_target(item: dict[str, Any]) -> Target:
    fields = dict(item)
    return Target(
        address=fields.pop("address"),
        type=fields.pop("target_type"),
        sources=frozenset(fields.pop("sources", ())),
        dependencies=frozenset(fields.pop("dependencies")),
        content=fields.pop("sources_fingerprint", None),
        fields=fields,
    )
