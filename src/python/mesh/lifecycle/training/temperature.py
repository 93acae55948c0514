"""The last layer of a trained classifier: equal shares of its classes, and its temperature.

Menon et al., Long-Tail Learning via Logit Adjustment, 2021; Guo et al., On Calibration of Modern
Neural Networks, 2017.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mesh.core.errors import MeshError
from mesh.lifecycle.training.scores import IGNORED

_TEMPERATURES = np.geomspace(1, 20, 302)
"""One is 1 % above another; none makes answers surer, for which few rows would be a poor reason."""


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """The number by which logits are divided so that the labels are the likeliest.

    Args:
        logits: (..., classes).
        labels: (...,), the numbers of the right classes; `IGNORED` ones don't count.

    Returns:
        The temperature, from 1 to 20; 1 where no label counts.
    """
    counted = labels != IGNORED
    scores, right = logits[counted].astype(np.float64), labels[counted]
    if not len(right):
        return 1.0
    # Above the right class; the loss of a label is the logarithm of the sum of their exponentials.
    margins = scores - np.take_along_axis(scores, right[:, None], axis=1)
    losses = [
        np.logaddexp.reduce(margins / temperature, axis=1).mean() for temperature in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def even_classes(model: torch.nn.Module, counts: Sequence[int]) -> None:
    """Subtract the logarithm of each class's share of the training rows from its logit.

    Without it, a class that is rare in training is rarely answered, however common it is in use.

    Args:
        counts: rows of each class, in the order of the outputs; a class without rows counts as one.

    Raises:
        MeshError: the network has no linear layer with so many outputs.
    """
    bias = _last_layer(model, len(counts)).bias
    rows = torch.tensor(counts, device=bias.device).clamp(min=1)
    with torch.no_grad():
        bias -= (rows / rows.sum()).log()


def divide_logits(model: torch.nn.Module, outputs: int, temperature: float) -> None:
    """Divide the weights of a network's last layer, and with them its logits.

    Args:
        outputs: the number of the network's outputs.

    Raises:
        MeshError: the network has no linear layer with so many outputs.
    """
    with torch.no_grad():
        for parameter in _last_layer(model, outputs).parameters():
            parameter /= temperature


def _last_layer(model: torch.nn.Module, outputs: int) -> torch.nn.Linear:
    layers = [
        layer
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear) and layer.out_features == outputs
    ]
    if not layers:
        raise MeshError(f"The network has no linear layer of {outputs} outputs.")
    return layers[-1]
