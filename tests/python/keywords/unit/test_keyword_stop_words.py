import json

import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from keywords.candidates import read_english_stop_words, resolve_stop_words
from keywords.stop_words_export import write_english_stop_words
from mesh.core.errors import MeshError, UsageError
from mesh.nlp.stop_words import StopWords


def test_written_list_is_read(tmp_path):
    path = write_english_stop_words(tmp_path)
    assert path == tmp_path / "stop_words" / "english.json"
    assert read_english_stop_words(tmp_path) == ENGLISH_STOP_WORDS
    assert json.loads(path.read_text()) == sorted(ENGLISH_STOP_WORDS)


def test_writing_again_gives_the_same_bytes(tmp_path):
    first = write_english_stop_words(tmp_path).read_bytes()
    assert write_english_stop_words(tmp_path).read_bytes() == first


@pytest.mark.parametrize("content", ['{"the": 1}', '["the", 1]', "null", "["])
def test_a_damaged_list_is_a_sentence(tmp_path, content):
    write_english_stop_words(tmp_path).write_text(content)
    with pytest.raises(MeshError, match="english.json"):
        read_english_stop_words(tmp_path)


def test_a_missing_list_is_a_sentence(tmp_path):
    with pytest.raises(MeshError, match="english.json"):
        read_english_stop_words(tmp_path)


def test_unknown_language():
    with pytest.raises(UsageError, match="klingon"):
        resolve_stop_words("klingon", StopWords(()))
