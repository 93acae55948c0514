import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.softmax import softmax


def test_probabilities_of_each_row() -> None:
    logits = np.array([[0, np.log(3)], [5, 5]], dtype=np.float32)
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75], [0.5, 0.5]], atol=1e-7)


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=9))
def test_large_logits_do_not_overflow(logits: list[float]) -> None:
    probabilities = softmax(np.array(logits))
    assert abs(probabilities.sum() - 1) < 1e-9
    assert probabilities[np.argmax(logits)] == probabilities.max()


def test_no_rows_have_no_probabilities() -> None:
    assert softmax(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)
    assert softmax(np.empty((0, 0), dtype=np.float32)).shape == (0, 0)
