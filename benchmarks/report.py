"""The report of every benchmark: a table, and the machine it was measured on."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from mesh.core.environment import describe_environment


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


_INSTRUCTIONS = (
    *("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_bf16"),
    *("asimddp", "bf16", "i8mm", "sve"),
)
"""What networks compute by, as Linux calls it on x86-64 and arm64."""


def describe_machine() -> str:
    """Processor with its instruction sets, cores that this process may use, and memory."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system = f"{platform.system()} {platform.release()}"
    return f"{_processor()}, {cores} cores, {memory / 2**30:.0f} GiB, {system}"


def describe_packages(packages: Iterable[str]) -> str:
    """The versions of Python and of installed distributions."""
    versions = describe_environment(packages)
    versions.pop("platform")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _processor() -> str:
    fields = [
        (name.strip(), value.strip())
        for name, _, value in (
            line.partition(":")
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        )
    ]
    name = next((value for name, value in fields if name == "model name"), platform.machine())
    flags = next((value for name, value in fields if name in ("flags", "Features")), "").split()
    known = " ".join(flag for flag in _INSTRUCTIONS if flag in flags)
    return f"{name} ({known})" if known else name
