"""Rows on the terminal, as a model will see them."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from mesh.data.dataset import AnnotatedText, TextRow

_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")


def show_rows(rows: Iterable[TextRow]) -> None:
    """Print each row's labels and text; entities are in colours on a terminal, and in brackets."""
    console = Console()
    colours: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        for label in row.labels:
            colours.setdefault(label, _COLOURS[len(colours) % len(_COLOURS)])
        console.print(Text(f"{number:>2} {row.language} {row.domain}", style="dim"))
        console.print(Text("   ").append(_shown(row, colours)), soft_wrap=True)


def _shown(row: TextRow, colours: dict[str, str]) -> Text:
    if not isinstance(row, AnnotatedText):
        shown = Text()
        for label in row.labels:
            shown.append(f"{label}: ", style=f"bold {colours[label]}")
        return shown.append(row.text)
    shown = Text()
    place = 0
    for entity in sorted(row.entities, key=lambda entity: entity.start):
        shown.append(row.text[place : entity.start])
        name = f"[{row.text[entity.start : entity.end]} {entity.label}]"
        shown.append(name, style=f"bold {colours[entity.label]}")
        place = entity.end
    return shown.append(row.text[place:])
