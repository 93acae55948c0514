"""Tables for the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

UNLIMITED = 10_000
"""Columns of characters."""


def make_table(*columns: str) -> Table:
    """An empty table that can be copied as text; in narrow terminals, its last column is broken."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for number, column in enumerate(columns):
        last = number == len(columns) - 1
        table.add_column(column, no_wrap=not last, overflow="fold", min_width=len(column))
    return table


def print_table(table: Table) -> None:
    """Print a table; into a file or a pipe with its whole width, since nothing wraps lines there."""
    console = Console()
    if not console.is_terminal:
        console.width = UNLIMITED
    console.print(table)
