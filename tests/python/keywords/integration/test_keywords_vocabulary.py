"""The vocabulary of the real weights."""

import numpy as np
import pytest

from keywords.candidates import read_english_stop_words
from keywords.embeddings import VOCABULARY_FOLDER, Vocabulary
from keywords.extra_files import KeywordFiles
from keywords.model import KeywordExtractor
from keywords.recipe import RECIPE
from keywords.schema import Configuration
from mesh.compile.artifact import CompiledModel
from mesh.core.errors import MeshError


def test_embeddings_are_the_models_own(compiled):
    words = ["water", "of", "government", "1990"]
    vocabulary = Vocabulary.read(compiled)
    assert vocabulary is not None
    positions, found = vocabulary.find(words)
    assert positions == [0, 1, 2, 3]
    model = CompiledModel.load(compiled)
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
def test_keywords_are_those_without(compiled, options):
    documents, configuration = RECIPE.read_samples(), Configuration(**options)
    without = KeywordExtractor(CompiledModel.load(compiled), read_english_stop_words(compiled))
    expected = without.extract(documents, configuration)
    actual = KeywordExtractor.load(compiled).extract(documents, configuration)
    for one, other in zip(expected, actual, strict=True):
        # Rounding may separate scores that are nearly equal.
        assert [item.keyword_token for item in one.predicted_document] == [
            item.keyword_token for item in other.predicted_document
        ]
        assert [item.keyword_score for item in one.predicted_document] == pytest.approx(
            [item.keyword_score for item in other.predicted_document], abs=1.01e-4
        )


def test_the_card_describes_it(compiled):
    provenance = KeywordFiles().provenance(compiled)["vocabulary"]
    assert provenance["words"] == 2_000
    assert provenance["dtype"] == "float32"
    assert provenance["dimension"] == 384
    assert "tokenizer" in provenance["source"]
    assert len(provenance["model_digest"]) == 64


def test_a_changed_vocabulary_is_refused(compiled):
    path = compiled / VOCABULARY_FOLDER / "embeddings.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"\0\0\0\1")
    try:
        with pytest.raises(MeshError, match=r"vocabulary/embeddings\.npy has other content"):
            KeywordExtractor.load(compiled)
    finally:
        path.write_bytes(content)
