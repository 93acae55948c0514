"""The kinds of markup that a text may be written in."""

from typing import Literal

Markup = Literal["html", "markdown", "plain"]
MarkupChoice = Literal["auto", "html", "markdown", "plain"]
"""What a caller says of a text's markup; `auto` decides by what the text contains."""
