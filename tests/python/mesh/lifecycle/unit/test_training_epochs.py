import logging

import pytest
from transformers import TrainerControl, TrainerState

from mesh.core import progress
from mesh.lifecycle.training.epochs import Epochs
from mesh.lifecycle.training.examples import Examples


@pytest.mark.parametrize("resumed_at", [0, 2])
def test_steps_are_shown_from_where_a_training_begins(resumed_at, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    epochs = Epochs(Examples([], lambda rows: rows))
    state = TrainerState(max_steps=4, global_step=resumed_at, is_world_process_zero=True)
    epochs.on_train_begin(None, state, TrainerControl())
    caplog.clear()
    for _ in range(resumed_at, 4):
        epochs.on_step_end(None, state, TrainerControl())
    epochs.close()

    lines = [f"steps of the training: {step} of 4" for step in range(resumed_at + 1, 5)]
    assert caplog.messages == lines


def test_only_the_first_process_of_a_team_shows_steps(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    epochs = Epochs(Examples([], lambda rows: rows))
    state = TrainerState(max_steps=2, is_world_process_zero=False)
    epochs.on_train_begin(None, state, TrainerControl())
    epochs.on_step_end(None, state, TrainerControl())

    assert caplog.messages == []
