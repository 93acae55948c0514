"""The frame of every report: one HTML file that needs nothing else."""

import datetime
import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass

from mesh.report.markup import Html, element, paragraph

# Nothing outside the file may be asked for, and nothing in it may run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Section:
    """A part of a page; `name` is its address within it."""

    name: str
    title: str
    content: Html


def whole_page(title: str, subtitle: str, sections: Iterable[Section]) -> str:
    """A page of sections, with a list of them."""
    parts = list(sections)
    style = importlib.resources.files(__package__).joinpath("report.css").read_text("utf-8")
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        element("title", title),
        Html(f"<style>{style}</style>"),
    )
    contents = element(
        "nav",
        element("h2", "Contents", id="contents"),
        element(
            "ol",
            *(element("li", element("a", one.title, href=f"#{one.name}")) for one in parts),
        ),
        aria_labelledby="contents",
    )
    body = element(
        "body",
        element("a", "Skip to the report", href="#main", class_="skip"),
        element("header", element("h1", title), paragraph(subtitle), paragraph(f"Written {now}.")),
        contents,
        element("main", *map(_section, parts), id="main", tabindex="-1"),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def _section(section: Section) -> Html:
    title = element("h2", section.title, id=f"{section.name}-title")
    return element(
        "section", title, section.content, id=section.name, aria_labelledby=f"{section.name}-title"
    )
