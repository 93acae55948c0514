"""Documents as keywords are taken from them."""

import re
import unicodedata
from dataclasses import dataclass

from keywords.schema import Configuration
from mesh.core.markup import Markup
from mesh.nlp.blocks import BLOCK_BREAK
from mesh.nlp.document import read_document

_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Passages:
    """The blocks of a document that keywords are taken from.

    Args:
        blocks: their texts, in order.
        markup: the markup that was taken out of the document.
        text: what the keywords are compared with: all blocks, or the document as it was sent where
            it has the same words in plain text, as in KeyBERT.
    """

    blocks: tuple[str, ...]
    markup: Markup
    text: str

    @property
    def phrases_cross_blocks(self) -> bool:
        """Whether a phrase may begin in one block and end in the next.

        It may in plain text, as in KeyBERT. Where elements of HTML or Markdown part the blocks,
        their words don't belong together.
        """
        return self.markup == "plain"


def read_passages(text: str, configuration: Configuration) -> Passages:
    """Read a document: its body, or if that is empty, all of it."""
    document = read_document(text, configuration.markup, configuration.language)
    blocks = tuple(
        document.text[block.start : block.end] for block in document.body or document.blocks
    )
    body = BLOCK_BREAK.join(blocks)
    is_plain = document.markup == "plain" and unicodedata.is_normalized("NFC", text)
    has_all = is_plain and _WORDS.findall(text) == _WORDS.findall(body)
    return Passages(blocks, document.markup, text if has_all else body)
