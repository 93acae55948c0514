"""What a document consists of: blocks and their kinds."""

from enum import StrEnum
from typing import NamedTuple

BLOCK_BREAK = "\n\n"
"""Stands between the blocks of a document's text."""


class BlockKind(StrEnum):
    """What a block of a document is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    CELL = "cell"
    CODE = "code"
    MAIL_HEADER = "mail_header"
    GREETING = "greeting"
    SIGNATURE = "signature"
    QUOTED = "quoted"
    """Lines of an earlier mail, which begin with `>`."""


BODY = frozenset((BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.ITEM, BlockKind.CELL))
"""The blocks that summaries and keywords are made of."""


class Block(NamedTuple):
    """A part of a document's text that no name, sentence or phrase crosses: `text[start:end]`."""

    start: int
    end: int
    kind: BlockKind
