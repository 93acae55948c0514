"""How the processes of a team share each batch, so that they compute what one process would.

A step's batch is the same rows as in one process with the whole batch, in the same order of steps,
and each row, or token, weighs the same.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers.trainer_pt_utils import LengthGroupedSampler

from mesh.lifecycle.training.examples import Examples
from mesh.lifecycle.training.scores import IGNORED
from mesh.lifecycle.training.team import Team


class SharedBatches(torch.utils.data.Sampler):  # type: ignore[misc]
    """This process' rows of each step; a filler where the last step has fewer rows than processes.

    Args:
        batch: rows of a step in each process.
    """

    def __init__(self, examples: Examples, batch: int, team: Team) -> None:
        self._examples = examples
        self._step = batch * team.size
        self._team = team
        self._sampler: LengthGroupedSampler | None = None

    def __len__(self) -> int:
        return -(-len(self._examples) // self._step)

    def __iter__(self) -> Iterator[list[int]]:
        # The random numbers of the processes differ.
        order = self._team.agree(self._order)
        for start in range(0, len(order), self._step):
            yield share(order[start : start + self._step], self._team)

    def _order(self) -> list[int]:
        """The rows of an epoch, as the Trainer's own sampler would have them."""
        if self._sampler is None:
            self._sampler = LengthGroupedSampler(self._step, dataset=self._examples)
        return list(self._sampler)


def share(rows: Sequence[int], team: Team) -> list[int]:
    """One process' rows of a step's: every `team.size`-th, or a filler (`~number`)."""
    return list(rows[team.rank :: team.size]) or [~rows[0]]


def shared_batches(
    examples: Examples, batch: int, team: Team, **loading: Any
) -> torch.utils.data.DataLoader[Any]:
    """Loads this process' rows of each step."""
    return torch.utils.data.DataLoader(
        examples, batch_sampler=SharedBatches(examples, batch, team), **loading
    )


def shared_loss(
    outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor
) -> torch.Tensor:
    """This process' part of the mean loss of a step's labels.

    The Trainer multiplies it by the number of processes, and gradients are averaged over them: their
    sum is the gradient of the mean over all labels, wherever they are.

    Args:
        outputs: with `logits`, (rows[, length], classes).
        labels: (rows[, length]).
        num_items_in_batch: labels that count, in all processes.
    """
    logits = outputs["logits"]
    total = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]).float(),
        labels.reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
    )
    return total / num_items_in_batch
