"""Checks of every compiled model before it is registered.

`compile:validate` runs them with pytest.

A project adds its own cases in `<project>/compile/regression_suite.py`.
"""

from mesh.lifecycle.regression import Regression


def test_sample_is_predicted_as_by_the_uncompiled_model(
    regression: Regression, sample: int
) -> None:
    expected = regression.stored.predictions[sample]
    assert regression.differences(expected, regression.together[sample]) == []


def test_sample_alone_is_predicted_as_among_others(regression: Regression, sample: int) -> None:
    assert regression.differences(regression.together[sample], regression.alone(sample)) == []
