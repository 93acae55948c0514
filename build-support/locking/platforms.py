"""The platforms of the locks, as markers and by uv's names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MACOS_VERSION = "14.0"
"""The oldest that torch has wheels for."""


@dataclass(frozen=True)
class Platform:
    """A kind of machine.

    Args:
        name: for people.
        tag: its name in uv.
        system: Python's `sys.platform` there.
        machine: Python's `platform.machine()` there.
    """

    name: str
    tag: str
    system: str
    machine: str

    @property
    def marker(self) -> str:
        """The condition that holds only there."""
        return f"platform_machine == '{self.machine}' and sys_platform == '{self.system}'"


LINUX_X86 = Platform("Linux x86-64", "x86_64-manylinux_2_28", "linux", "x86_64")
LINUX_ARM = Platform("Linux arm64", "aarch64-manylinux_2_28", "linux", "aarch64")
MACOS_ARM = Platform("macOS arm64", "aarch64-apple-darwin", "darwin", "arm64")
PLATFORMS = (LINUX_X86, LINUX_ARM, MACOS_ARM)

_INTERPRETER = (
    "implementation_name == 'cpython' and platform_python_implementation == 'CPython'"
    " and python_version == '3.11'"
)
_WRITTEN_INTERPRETER = {
    "implementation_name == 'cpython'",
    "platform_python_implementation == 'CPython'",
    "python_full_version < '3.12'",
}
"""The same in uv's form, with 3.11 as the oldest version."""

_ANYWHERE = f"{_INTERPRETER} and ({' or '.join(f'({each.marker})' for each in PLATFORMS)})"
_PIN = re.compile(r"^(?P<pin>[^\s;]+==[^\s;]+) ; (?P<marker>.*) \\$", re.MULTILINE)


def narrow(requirements: str) -> str:
    """Requirements for the platforms and Python 3.11 only, so that uv solves for nothing else."""
    lines = []
    for line in requirements.splitlines():
        requirement, _, marker = line.partition("#")[0].partition(";")
        if requirement.strip():
            condition = f"({marker.strip()}) and {_ANYWHERE}" if marker else _ANYWHERE
            line = f"{requirement.strip()} ; {condition}"
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def widen(lock: str) -> str:
    """uv's lock of narrowed requirements, with conditions only where the platforms differ."""

    def rewrite(match: re.Match[str]) -> str:
        where = _platforms_of(match["marker"])
        if where is None:
            return match[0]
        marker = _shortest_marker(where)
        return f"{match['pin']} ; {marker} \\" if marker else f"{match['pin']} \\"

    return _PIN.sub(rewrite, lock)


def _platforms_of(marker: str) -> set[Platform] | None:
    """The platforms for which a marker holds; None if it has other conditions."""
    found = set()
    for alternative in marker.split(" or "):
        conditions = set(alternative.strip("()").split(" and ")) - _WRITTEN_INTERPRETER
        platform = [each for each in PLATFORMS if set(each.marker.split(" and ")) == conditions]
        if not platform:
            return None
        found.update(platform)
    return found


def _shortest_marker(where: Iterable[Platform]) -> str:
    rest = set(where)
    if rest == set(PLATFORMS):
        return ""
    alternatives = []
    for system in sorted({each.system for each in rest}):
        of_system = {each for each in PLATFORMS if each.system == system}
        if of_system <= rest:
            alternatives.append(f"sys_platform == '{system}'")
            rest -= of_system
    alternatives += sorted(each.marker for each in rest)
    return " or ".join(alternatives)
