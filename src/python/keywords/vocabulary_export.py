"""Makes the vocabulary of a compiled model: its single-token words with their embeddings."""

import logging
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from keywords.candidates import is_word
from keywords.embeddings import EMBEDDINGS_FILE, WORDS_FILE, VocabularyRecord, model_digest
from mesh.compile.artifact import CompiledModel
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.files import write_json_atomic
from mesh.core.manifest import Manifest

logger = logging.getLogger(__name__)

SOURCE = "the words that are one token to the model's tokenizer, in the order of their ids"


def write_vocabulary(directory: Path, most: int, threads: int) -> None:
    """Write the vocabulary of a compiled model below its directory; `Vocabulary.read` finds it.

    Args:
        directory: the compiled model's other files, without a manifest so far.
        most: maximum number of words; the first ones are taken.
        threads: number of cores to use.
    """
    words = whole_words(Tokenizer.from_file(str(directory / TOKENIZER_FILE)))[:most]
    if not words:
        logger.warning("no word is a single token of the model, so it gets no vocabulary")
        return
    logger.info("embedding a vocabulary of %d words", len(words))
    digest = model_digest(Manifest.of(directory))
    embeddings = CompiledModel.open(directory, threads).embed(words)
    record = VocabularyRecord(
        source=SOURCE, model_digest=digest, dimension=embeddings.shape[1], words=tuple(words)
    )
    write_json_atomic(directory / WORDS_FILE, record.model_dump(mode="json"))
    np.save(directory / EMBEDDINGS_FILE, embeddings, allow_pickle=False)


def whole_words(tokenizer: Tokenizer) -> list[str]:
    """The lower-case words that are a single token, in the order of the tokens' ids.

    Vocabularies are built by frequency, so the first words are often the most frequent ones.
    """
    tokenizer.no_padding()
    tokenizer.no_truncation()
    decoded = (tokenizer.decode([number]).strip() for number in range(tokenizer.get_vocab_size()))
    words = list(dict.fromkeys(word for word in decoded if is_word(word)))
    encodings = tokenizer.encode_batch(words, add_special_tokens=False)
    return [
        word
        for word, encoding in zip(words, encodings, strict=True)
        # An unknown word is one token too, but that token isn't its own.
        if len(encoding) == 1 and tokenizer.decode(encoding.ids).strip() == word
    ]
