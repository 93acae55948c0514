"""Watches a training: the figures of each step and epoch."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import transformers
from transformers.trainer_callback import TrainerControl, TrainerState

Log = Callable[[int, Mapping[str, float]], None]
"""Takes a step and its figures, by name."""

_OF_A_STEP = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/gradient_norm",
}
_OF_AN_EPOCH = {"eval_loss": "validation/loss", "eval_score": "validation/score"}


class Figures(transformers.TrainerCallback):  # type: ignore[misc]
    """Logs the Trainer's figures, tokens per second and memory.

    The Trainer must log each step.

    Args:
        model: its input is counted.
        processes: that train together; the first one's tokens stand for those of each.
    """

    def __init__(self, log: Log, model: torch.nn.Module, processes: int) -> None:
        self._log = log
        self._processes = processes
        self._tokens = 0
        self._began = 0.0
        self._of_epoch: list[dict[str, float]] = []
        model.register_forward_pre_hook(self._count, with_kwargs=True)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self._of_epoch = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._tokens, self._began = 0, time.monotonic()

    def on_log(
        self,
        _args: Any,
        state: TrainerState,
        _control: TrainerControl,
        logs: dict[str, float],
        **_rest: Any,
    ) -> None:
        figures = _renamed(logs, _OF_A_STEP)
        if not figures:
            return
        # The Trainer's own records have one entry for each epoch.
        self._of_epoch.append(state.log_history.pop())
        seconds = max(time.monotonic() - self._began, 1e-6)
        figures["train/tokens_per_second"] = self._tokens * self._processes / seconds
        figures["train/epoch"] = state.epoch or 0.0
        self._log(state.global_step, {**figures, **_memory()})

    def on_epoch_end(
        self, _args: Any, state: TrainerState, _control: TrainerControl, **_rest: Any
    ) -> None:
        if self._of_epoch:
            losses = [entry["loss"] for entry in self._of_epoch]
            mean = sum(losses) / len(losses)
            state.log_history.append({**self._of_epoch[-1], "loss": mean})

    def on_evaluate(
        self,
        _args: Any,
        state: TrainerState,
        _control: TrainerControl,
        metrics: dict[str, float],
        **_rest: Any,
    ) -> None:
        figures = {**_renamed(metrics, _OF_AN_EPOCH), "validation/epoch": state.epoch or 0.0}
        self._log(state.global_step, figures)

    def _count(self, model: torch.nn.Module, _inputs: Any, named: Mapping[str, Any]) -> None:
        if model.training:
            self._tokens += int(named["attention_mask"].sum())


def _renamed(found: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    return {name: found[key] for key, name in names.items() if key in found}


def _memory() -> dict[str, float]:
    """The most that this process has used, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    if not torch.cuda.is_available():
        return {"train/memory_mb": used}
    on_gpu = torch.cuda.max_memory_allocated() / 1e6
    return {"train/memory_mb": used, "train/gpu_memory_mb": on_gpu}
