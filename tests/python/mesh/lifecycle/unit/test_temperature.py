"""The temperature of logits."""

import numpy as np
import pytest
import torch

from mesh.core.errors import MeshError
from mesh.lifecycle.training.scores import IGNORED
from mesh.lifecycle.training.temperature import divide_logits, even_classes, fit_temperature
from mesh.nlp.softmax import softmax


@pytest.mark.parametrize("temperature", [1, 1.7, 4])
def test_temperature_of_known_probabilities_is_found(temperature: float) -> None:
    chance = np.random.default_rng(1)
    exact = chance.normal(scale=2, size=(4000, 3))
    labels = np.array([chance.choice(3, p=row) for row in softmax(exact)])
    assert fit_temperature(exact * temperature, labels) == pytest.approx(temperature, rel=0.1)


def test_answers_are_never_made_surer() -> None:
    logits = np.array([[0.4, 0.0], [0.0, 0.4]])
    assert fit_temperature(logits, np.array([0, 1])) == 1
    assert fit_temperature(logits, np.array([1, 0])) > 1


def test_ignored_tokens_do_not_count() -> None:
    logits = np.array(
        [[[3.0, 0.0], [0.0, 9.0]], [[0.0, 3.0], [0.0, 9.0]], [[3.0, 0.0], [0.0, 9.0]]]
    )
    labels = np.array([[0, IGNORED], [1, IGNORED], [1, IGNORED]])
    assert fit_temperature(logits, labels) == fit_temperature(logits[:, 0], labels[:, 0])
    assert fit_temperature(logits, np.full_like(labels, IGNORED)) == 1


def test_last_layer_divides_the_logits() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3))
    numbers = torch.arange(8.0).reshape(2, 4)
    with torch.no_grad():
        before = network(numbers)
        divide_logits(network, 3, 2.5)
        after = network(numbers)
    assert torch.allclose(after, before / 2.5)


def test_classes_that_are_rare_in_training_gain_what_their_rarity_took() -> None:
    network = torch.nn.Linear(4, 3)
    numbers = torch.arange(8.0).reshape(2, 4)
    with torch.no_grad():
        before = network(numbers)
        even_classes(network, [6, 2, 0])
        gained = network(numbers) - before
    assert torch.allclose(gained[0], gained[1])
    assert gained[0, 1] - gained[0, 0] == pytest.approx(np.log(3), abs=1e-5)
    assert gained[0, 2] - gained[0, 1] == pytest.approx(np.log(2), abs=1e-5)


def test_network_without_an_output_layer_is_refused() -> None:
    with pytest.raises(MeshError, match="no linear layer of 7 outputs"):
        divide_logits(torch.nn.Linear(4, 3), 7, 2)
