"""Tables for the terminal."""

from rich import box
from rich.table import Table


def make_table(*columns: str) -> Table:
    """An empty table that can be copied as text; only its last column is broken to fit."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number < len(columns) - 1, overflow="fold")
    return table
