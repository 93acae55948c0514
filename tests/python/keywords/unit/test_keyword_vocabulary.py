import json
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, WordPiece

from keywords.embeddings import EMBEDDINGS_FILE, WORDS_FILE, Vocabulary, model_digest
from keywords.vocabulary_export import whole_words
from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest

WORDS = ("fox", "hen", "owl")
EMBEDDINGS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def folder(tmp_path):
    """The folder of a compiled model; its network isn't read."""
    spec = CompileSpec(
        task="sentence-embedding",
        backend="onnx",
        max_length=8,
        length_buckets=(8,),
        dimension=4,
        pooling="mean",
    )
    spec.write(tmp_path)
    (tmp_path / "model.onnx").write_text("a network")
    write(tmp_path)
    return tmp_path


def write(folder, words=WORDS, embeddings=EMBEDDINGS, **changes):
    """Write a vocabulary, and the manifest of the folder."""
    (folder / WORDS_FILE).parent.mkdir(exist_ok=True)
    record = {
        "source": "a test",
        "model_digest": model_digest(Manifest.of(folder)),
        "dimension": embeddings.shape[-1],
        "words": words,
    }
    (folder / WORDS_FILE).write_text(json.dumps(record | changes))
    np.save(folder / EMBEDDINGS_FILE, embeddings, allow_pickle=True)
    Manifest.of(folder).write(folder)


def read(folder):
    """A vocabulary that exists."""
    vocabulary = Vocabulary.read(folder)
    assert vocabulary is not None
    return vocabulary


def test_finds_words_by_position(folder):
    vocabulary = read(folder)
    positions, found = vocabulary.find(["owl", "fox hen", "FOX", "fox"])
    assert len(vocabulary) == 3
    assert positions == [0, 3]
    assert found.tolist() == EMBEDDINGS[[2, 0]].tolist()
    assert found.dtype == np.float32


def test_finds_nothing(folder):
    positions, found = read(folder).find(["wolf"])
    assert positions == []
    assert found.shape == (0, 4)


def test_embeddings_are_mapped_and_read_only(folder):
    embeddings = read(folder)._embeddings
    assert isinstance(embeddings.base, np.memmap)
    assert not embeddings.flags.writeable


def test_pages_are_given_back_after_each_look_up(folder):
    words = [f"word{number}" for number in range(4096)]
    write(folder, words, np.ones((len(words), 4), dtype=np.float32))
    vocabulary = read(folder)
    _, found = vocabulary.find(words)
    assert found.sum() == 4 * len(words)
    assert resident_kibibytes(folder / EMBEDDINGS_FILE) == 0
    assert vocabulary.find(["word9"])[1].tolist() == [[1.0] * 4]


def resident_kibibytes(path):
    """What this process has in memory of a file that it maps."""
    smaps = Path("/proc/self/smaps").read_text()
    [part] = re.findall(rf"{re.escape(str(path))}\n(?:\w+: .*\n)*?Rss: +(\d+) kB", smaps)
    return int(part)


def test_a_compiled_model_without_a_vocabulary(folder):
    (folder / WORDS_FILE).unlink()
    (folder / EMBEDDINGS_FILE).unlink()
    (folder / WORDS_FILE).parent.rmdir()
    assert Vocabulary.read(folder) is None


@pytest.mark.parametrize("missing", [WORDS_FILE, EMBEDDINGS_FILE])
def test_a_missing_file(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(MeshError, match=rf"{missing}.*; compile the model again\."):
        Vocabulary.read(folder)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated_embeddings(folder, kept):
    path = folder / EMBEDDINGS_FILE
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MeshError, match=rf"{EMBEDDINGS_FILE} can't be read: "):
        Vocabulary.read(folder)


def test_pickled_embeddings_are_not_read(folder):
    write(folder, embeddings=EMBEDDINGS.astype(object))
    with pytest.raises(MeshError, match="can't be read"):
        Vocabulary.read(folder)


@pytest.mark.parametrize(
    ("embeddings", "holds"),
    [
        (EMBEDDINGS[:2], r"float32 \(2, 4\) instead of float32 \(3, 4\)"),
        (EMBEDDINGS.astype(np.float64), r"float64 \(3, 4\) instead of float32 \(3, 4\)"),
        (EMBEDDINGS.ravel(), r"float32 \(12,\) instead of float32 \(3, 4\)"),
    ],
)
def test_embeddings_that_are_not_those_of_the_words(folder, embeddings, holds):
    np.save(folder / EMBEDDINGS_FILE, embeddings)
    with pytest.raises(MeshError, match=holds):
        Vocabulary.read(folder)


def test_another_dimension_than_the_models(folder):
    write(folder, embeddings=np.zeros((3, 5), dtype=np.float32))
    with pytest.raises(MeshError, match="embeddings of 5 numbers, but the model's have 4"):
        Vocabulary.read(folder)


def test_a_vocabulary_of_another_model(folder):
    (folder / "model.onnx").write_text("another network")
    Manifest.of(folder).write(folder)
    with pytest.raises(MeshError, match="made with another model"):
        Vocabulary.read(folder)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"dtype": "float16"}, "dtype"),
        ({"words": []}, "words"),
        ({"words": ["fox", 1]}, "words"),
        ({"words": ["fox", "hen", "fox"]}, "words"),
        ({"dimension": 0}, "dimension"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_malformed_record(folder, changes, field):
    write(folder, **changes)
    with pytest.raises(MeshError, match=f"malformed: {field}"):
        Vocabulary.read(folder)


def test_whole_words_of_a_word_piece_tokenizer():
    tokens = ["[UNK]", "[CLS]", "the", "x", "fox", "##es", "Hen", ".", "café", "fo", "a_b", "12"]
    tokenizer = Tokenizer(
        WordPiece({token: number for number, token in enumerate(tokens)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[CLS]"])
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(4)

    # "café" loses its accent and is unknown; "a_b" is several tokens.
    assert whole_words(tokenizer) == ["the", "fox", "fo", "12"]


def test_whole_words_of_a_byte_pair_tokenizer():
    letters = {letter: number for number, letter in enumerate("Ġfox")}
    merges = [("f", "o"), ("fo", "x"), ("Ġ", "fox")]
    pieces = letters | {"fo": 4, "fox": 5, "Ġfox": 6}
    tokenizer = Tokenizer(BPE(pieces, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()

    assert whole_words(tokenizer) == ["fox"]
