"""Checks of every compiled model before it is registered.

`compile:validate` runs them with pytest.

A project adds its own cases in `<project>/compile/regression_suite.py`.
"""

from mesh.lifecycle.regression import LEAST_SAME, Regression


def test_sample_is_predicted_as_by_the_uncompiled_model(
    exact_regression: Regression, sample: int
) -> None:
    expected = exact_regression.stored.predictions[sample]
    assert exact_regression.differences(expected, exact_regression.together[sample]) == []


def test_samples_have_the_answers_of_the_uncompiled_model(regression: Regression) -> None:
    assert regression.share_of_same_answers >= LEAST_SAME


def test_sample_alone_is_predicted_as_among_others(regression: Regression, sample: int) -> None:
    assert regression.differences(regression.together[sample], regression.alone(sample)) == []
