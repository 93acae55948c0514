"""Probabilities of classes from a network's logits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Probabilities along the last axis."""
    exact = logits.astype(np.float64)
    exponents = np.exp(exact - exact.max(axis=-1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float64] = exponents / exponents.sum(axis=-1, keepdims=True)
    return probabilities
