"""Further checks of a compiled model of keywords."""

from mesh.lifecycle.regression import Regression

PHRASES = {"candidate_mode": "phrases", "top_n": 10}


def test_sample_alone_has_the_same_phrases_as_among_others(
    regression: Regression, sample: int
) -> None:
    inputs = regression.stored.inputs
    [alone] = regression.predict([inputs[sample]], PHRASES)
    among = regression.predict(inputs, PHRASES)[sample]
    assert regression.differences(among, alone) == []
    scores = [keyword["keyword_score"] for keyword in alone["predicted_document"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
