"""What must hold of a compiled model before it is registered; `compile:validate` runs it with pytest."""

from mesh.lifecycle.regression import Regression


def test_sample_has_the_stored_keywords(regression: Regression, sample: int) -> None:
    expected = regression.stored.predictions[sample]
    assert regression.differences(expected, regression.together[sample]) == []


def test_sample_alone_has_the_keywords_it_has_among_others(regression: Regression, sample: int) -> None:
    assert regression.differences(regression.together[sample], regression.alone(sample)) == []
