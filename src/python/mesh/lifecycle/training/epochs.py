"""Watches a training: how far it is."""

import logging
from collections.abc import Generator
from typing import Any

import transformers
from transformers.trainer_callback import TrainerControl, TrainerState

from mesh.core.progress import track
from mesh.lifecycle.training.examples import Examples

logger = logging.getLogger(__name__)


class Epochs(transformers.TrainerCallback):  # type: ignore[misc]
    """Tells the examples the epoch, logs its score, and shows the progress of the steps."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        self._steps: Generator[int, None, None] | None = None

    def close(self) -> None:
        """Show no progress any more, however the training has ended."""
        if self._steps:
            self._steps.close()

    def on_train_begin(
        self, _args: Any, state: TrainerState, _control: TrainerControl, **_rest: Any
    ) -> None:
        """Show the progress from where the training begins or resumes."""
        if state.is_world_process_zero:
            self._steps = track(range(state.max_steps), "steps of the training")
            # A step counts when the next one is asked for.
            for _ in range(state.global_step + 1):
                next(self._steps, None)

    def on_step_end(
        self, _args: Any, _state: TrainerState, _control: TrainerControl, **_rest: Any
    ) -> None:
        """Show one step more."""
        if self._steps:
            next(self._steps, None)

    def on_epoch_begin(
        self, _args: Any, state: TrainerState, _control: TrainerControl, **_rest: Any
    ) -> None:
        """Vary the rows by the epoch."""
        self._examples.epoch = round(state.epoch or 0)

    def on_evaluate(
        self,
        _args: Any,
        state: TrainerState,
        _control: TrainerControl,
        metrics: dict[str, float],
        **_rest: Any,
    ) -> None:
        """Log the score."""
        if state.is_world_process_zero:
            logger.info("epoch %.0f: validation score %.3f", state.epoch, metrics["eval_score"])
