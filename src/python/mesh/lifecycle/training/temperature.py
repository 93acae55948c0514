"""Temperature of a classifier: probabilities that are as high as the answers are right.

Guo et al., On Calibration of Modern Neural Networks, 2017.
"""

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


def divide_logits(model: torch.nn.Module, outputs: int, temperature: float) -> None:
    """Divide the weights of a network's last layer, and with them its logits.

    Args:
        outputs: the number of the network's outputs.

    Raises:
        MeshError: the network has no linear layer with so many outputs.
    """
    layers = [
        layer
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear) and layer.out_features == outputs
    ]
    if not layers:
        raise MeshError(f"The network has no linear layer of {outputs} outputs.")
    with torch.no_grad():
        for parameter in layers[-1].parameters():
            parameter /= temperature
