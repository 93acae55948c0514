"""Training by several processes, which torchrun starts, gives what one process gives."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from mesh.core.card import ARTIFACTS
from mesh.lifecycle.training.examples import Examples
from mesh.lifecycle.training.scores import IGNORED
from mesh.lifecycle.training.shares import share, shared_loss
from mesh.lifecycle.training.team import Team, find_team
from tiny_training import make_base

# The gradient of a key's bias is zero but for rounding, which Adam makes as large as any other.
UNCERTAIN = "attention.self.key.bias"


def train_in_team(folder: Path, processes: int, **settings: Any) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    # A machine need not know an address of its own name.
    command.append("--local-addr=127.0.0.1")
    member = Path(__file__).with_name("team_member.py")
    subprocess.run(
        [*command, f"--nproc-per-node={processes}", member, folder, json.dumps(settings)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=True,
    )


def test_two_processes_train_what_one_trains_with_the_rows_of_both(
    tiny_tags: Any, tmp_path: Path
) -> None:
    """The rows of an epoch are no multiple of a step's, and rows have different numbers of labels.

    Nothing says that there is no GPU.
    """
    folder = tiny_tags.workspace.workspace
    # There is no chance but the order of the rows.
    make_base(tiny_tags.base, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    # bfloat16 would round the rows' sums in another order.
    same = {"epochs": 1, "device": "auto", "precision": "float32"}
    train_in_team(folder, 2, batch_size=8, **same)
    first, second = (load_file(folder / f"rank-{rank}.safetensors") for rank in range(2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], name)

    one = {"batch_size": 16, **same}
    tiny_tags.train(**one)
    assert [version.version for version in tiny_tags.registry.list()] == [1], "it is up to date"
    tiny_tags.train(**one, force=True)
    weights = []
    for number in (1, 2):
        tiny_tags.registry.fetch(f"TINY-TRAINED-{number}", tmp_path / str(number))
        weights.append(load_file(tmp_path / str(number) / ARTIFACTS / "model.safetensors"))
    for name, values in weights[0].items():
        if not name.endswith(UNCERTAIN):
            np.testing.assert_allclose(values, weights[1][name], rtol=1e-3, atol=1e-4, err_msg=name)
    tiny_tags.train(batch_size=8, **same)
    assert [version.version for version in tiny_tags.registry.list()] == [1, 2, 3]


@given(st.integers(1, 40), st.integers(1, 9))
def test_each_row_of_a_step_is_in_one_share(rows: int, processes: int) -> None:
    shares = [share(range(rows), Team(rank, processes)) for rank in range(processes)]
    assert all(shares), "each process has something to compute"
    assert sorted(row for found in shares for row in found if row >= 0) == list(range(rows))
    fillers = [row for found in shares for row in found if row < 0]
    assert len(fillers) == max(0, processes - rows)


@pytest.mark.parametrize("shape", [(6,), (6, 5)])
def test_shares_of_the_loss_make_the_mean_of_all_labels(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    logits, labels = torch.randn(*shape, 3), torch.randint(0, 3, shape)
    labels[0] = IGNORED
    expected = torch.nn.functional.cross_entropy(
        logits.reshape(-1, 3), labels.reshape(-1), ignore_index=IGNORED
    )
    counted = (labels != IGNORED).sum()
    # The first share has no label that counts.
    parts = [
        shared_loss({"logits": logits[rows]}, labels[rows], counted)
        for rows in (slice(0, 1), slice(1, 3), slice(3, 6))
    ]
    torch.testing.assert_close(sum(parts), expected)


def test_a_filler_has_no_label() -> None:
    labels = {0: 1, 1: [0, IGNORED, 2]}
    examples = Examples([0, 1], lambda row: {"input_ids": [7], "labels": labels[row]})  # type: ignore[list-item]
    assert examples[~0] == {"input_ids": [7], "labels": IGNORED}
    assert examples[~1] == {"input_ids": [7], "labels": [IGNORED] * 3}


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    # Other launchers set it, too.
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert find_team() == Team(0, 1)
    assert find_team().agree(lambda: 3) == 3
