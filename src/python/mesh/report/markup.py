"""HTML whose text is escaped, whatever it says."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# What HTML can't hold, or no reader sees.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WEB = re.compile(r"https?://[^\s\"'<>]+")


class Html(str):
    """Markup; every other text is escaped where it is put into an element."""

    __slots__ = ()


def escape(text: str) -> Html:
    """A text as markup; what can't be shown becomes U+FFFD."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(_UNREADABLE.sub("\ufffd", text)))


def element(name: str, *children: str | None, **attributes: str | None) -> Html:
    """An element with children in order; None leaves a child or an attribute out.

    Args:
        attributes: `class_` and `aria_label` stand for `class` and `aria-label`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[str | None]) -> Html:
    """Parts as markup, one after the other."""
    return Html("".join(escape(part) for part in parts if part is not None))


def in_words(value: Any) -> str:
    """A JSON value for people: names with their values, without what is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        pairs = ((name, in_words(one)) for name, one in value.items() if one not in ("", [], {}))
        return ", ".join(
            f"{name} ({said})" if ", " in said else f"{name} {said}" for name, said in pairs
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)


def paragraph(*children: str | None, class_: str | None = None) -> Html:
    """A paragraph."""
    return element("p", *children, class_=class_)


def bullets(items: Iterable[str]) -> Html:
    """A list."""
    return element("ul", *(element("li", item) for item in items))


def web_link(text: str, url: str) -> Html:
    """A link to an address of the web; another address is shown as text."""
    if not _WEB.fullmatch(url):
        return escape(text)
    return element("a", text, href=url, rel="noreferrer noopener")


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True
) -> Html:
    """A table that scrolls by itself where the window is narrow.

    Args:
        rows: of cells, of which the first is the row's name.
        numbers: whether the other cells are numbers.
    """
    head = element("tr", *(element("th", one, scope="col") for one in columns))
    body = [
        element(
            "tr",
            element("th", first, scope="row", dir="auto"),
            *(element("td", cell, dir="auto") for cell in rest),
        )
        for first, *rest in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *body),
        class_="numbers" if numbers else None,
    )
    return scrolling(whole, caption)


def scrolling(content: Html, label: str) -> Html:
    """Content that keys can scroll where it is wider than the window."""
    return element("div", content, class_="wide", role="region", aria_label=label, tabindex="0")


def facts(pairs: Iterable[tuple[str, str | None]]) -> Html:
    """Names with their values; those without a value are left out."""
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", value, dir="auto"))
            for name, value in pairs
            if value
        ),
    )


def folded(title: str, *content: str) -> Html:
    """Content that is shown on request, and in print."""
    return element("details", element("summary", title), *content)
