"""The report of every benchmark: a table, and the machine it was measured on."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from mesh.core.environment import describe_environment

INSTRUCTIONS = (
    *("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx_vnni", "avx2"),
    *("i8mm", "bf16", "sve"),
)
"""Those of processors that decide how fast networks are, in each of their precisions."""


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    packages: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> None:
    """Print one table, with the machine and the versions of packages below it.

    Args:
        columns: the first has the rows' names, the others have figures.
        notes: sentences that explain the figures.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    # Wide enough for every table, since results are often read from a file.
    console = Console(width=160, highlight=False)
    console.print()
    console.print(table)
    console.print()
    for line in (describe_machine(), describe_packages(packages), *notes):
        if line:
            console.print(line, soft_wrap=True)


def describe_machine() -> str:
    """Processor and its instructions, cores that this process may use, and memory."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{_processor()}, {cores} cores, {memory / 2**30:.0f} GiB, {platform.system()} {platform.release()}"


def describe_packages(packages: Iterable[str]) -> str:
    """The versions of Python and of installed distributions."""
    versions = describe_environment(packages)
    versions.pop("platform")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    facts = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    # Of x86, and of ARM.
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    instructions = ", ".join(name for name in INSTRUCTIONS if name in flags)
    lacking = "" if "amx_bf16" in flags else ", no AMX"
    return f"{facts.get('model name', platform.machine())} ({instructions or 'basic'}{lacking})"
