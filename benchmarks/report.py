"""The report of every benchmark: a table, and the machine it was measured on."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
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


_INSTRUCTION_SETS = (
    *("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("amx_tile", "amx_int8", "amx_bf16"),
    # Those of ARM.
    *("asimd", "asimddp", "bf16", "i8mm", "sve", "sve2"),
)
"""Those that decide how fast matrices are multiplied, as Linux calls them."""


def describe_machine() -> str:
    """Processor, its instruction sets, cores that this process may use, memory and load."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{_processor()} ({', '.join(_instruction_sets()) or 'no instruction sets known'}), "
        f"{cores} cores, {memory / 2**30:.0f} GiB, {platform.system()} {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def describe_packages(packages: Iterable[str]) -> str:
    """The versions of Python and of installed distributions."""
    versions = describe_environment(packages)
    versions.pop("platform")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _processor() -> str:
    return next(_cpuinfo("model name"), platform.machine())


def _instruction_sets() -> list[str]:
    flags = set(next(_cpuinfo("flags", "Features"), "").split())
    return [name for name in _INSTRUCTION_SETS if name in flags]


def _cpuinfo(*names: str) -> Iterator[str]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names:
            yield value.strip()
