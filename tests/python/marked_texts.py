"""Texts whose lines have marks, from a file that editors leave as it is.

The file has a name in brackets before each text. A line of a text is its mark, which may be empty,
`|` and what it says. "␌" stands for a form feed and "␠" for a space at a line's end. Empty lines
and those that begin with `#` belong to no text.
"""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class MarkedText:
    """The lines of a text, and the marks of those that have one, by the lines' numbers from 0."""

    lines: list[str] = field(default_factory=list)
    marks: dict[int, str] = field(default_factory=dict)


def read_marked_texts(path: Path) -> dict[str, MarkedText]:
    """The texts of a file by their names.

    Raises:
        ValueError: two texts have one name, or a line has no `|`.
    """
    texts: dict[str, MarkedText] = {}
    for row in path.read_text("utf-8").split("\n"):
        if row.startswith("["):
            name = row.strip("[]")
            if name in texts:
                raise ValueError(f"{path} has two texts {name!r}")
            text = texts[name] = MarkedText()
        elif row and not row.startswith("#"):
            mark, line = row.split("|", 1)
            if mark:
                text.marks[len(text.lines)] = mark
            text.lines.append(line.replace("␌", "\f").replace("␠", " "))
    return texts
