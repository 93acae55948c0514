"""Tables for the terminal."""

from rich import box
from rich.table import Table


def make_table(*columns: str) -> Table:
    """An empty table that can be copied as text; only its last column is broken to fit.

    Where that isn't enough, columns shrink to the width of their headings.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for number, column in enumerate(columns):
        last = number == len(columns) - 1
        table.add_column(column, no_wrap=not last, overflow="fold", min_width=len(column))
    return table
