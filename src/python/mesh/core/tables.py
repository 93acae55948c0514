"""Tables for the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

UNLIMITED = 10_000
"""A width, in characters."""


def make_table(*columns: str) -> Table:
    """An empty table of copyable text; in a narrow terminal, its last column is wrapped."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number < len(columns) - 1, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table; in a file or a pipe with its whole width, since lines aren't wrapped there."""
    console = Console()
    if not console.is_terminal:
        console.width = UNLIMITED
    console.print(table)
