"""The file of a search's space: what it may say, and a sentence for each mistake."""

import re
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mesh.core.errors import UsageError
from mesh.lifecycle.search.space import Space, read_space
from mesh.lifecycle.training.settings import FineTuneSettings

SETTINGS = FineTuneSettings(base_model="base")


def read(tmp_path: Path, text: str | bytes) -> Space:
    file = tmp_path / "space.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_space(file, SETTINGS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "learning_rate = { low = 1e-5, high = 1e-3, log = true }",
            FloatDistribution(1e-5, 1e-3, log=True),
        ),
        ("weight_decay = { low = 0, high = 0.1 }", FloatDistribution(0, 0.1)),
        ("warmup = { low = 0.0, high = 0.3, step = 0.1 }", FloatDistribution(0, 0.3, step=0.1)),
        ("epochs = { low = 2, high = 2 }", IntDistribution(2, 2)),
        ("max_length = { low = 128, high = 512, step = 128 }", IntDistribution(128, 512, step=128)),
        ("batch_size = { low = 1e1, high = 100, log = true }", IntDistribution(10, 100, log=True)),
        ("batch_size = [16, 32]", CategoricalDistribution([16, 32])),
        ("freeze_embeddings = [true, false]", CategoricalDistribution([True, False])),
        (
            "base_model = ['one', 'hf://two/2@main']",
            CategoricalDistribution(["one", "hf://two/2@main"]),
        ),
        ("seed = [3]", CategoricalDistribution([3])),
    ],
)
def test_ranges_and_choices_are_read(tmp_path: Path, line: str, expected: Any) -> None:
    space = read(tmp_path, f"[parameters]\n{line}")
    assert list(space.distributions.values()) == [expected]
    assert (space.metric, space.is_maximized) == ("validation/score", True)


def test_less_loss_is_better(tmp_path: Path) -> None:
    space = read(tmp_path, "metric = 'validation/loss'\n[parameters]\nseed = [1, 2]")
    assert (space.metric, space.is_maximized) == ("validation/loss", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "needs a table [parameters], with lines such as learning_rate ="),
        ("parameters = 3", "needs a table [parameters]"),
        ("[parameters]", "needs a table [parameters]"),
        ("[parameters\n", "isn't TOML: "),
        (b"\xff", "isn't TOML: "),
        ("[parameter]\nseed = [1]", "unknown key 'parameter'; did you mean parameters?"),
        ("metric = 'test/f1'\n[parameters]\nseed = [1]", "unknown metric 'test/f1': trials are"),
        ("metric = 3\n[parameters]\nseed = [1]", "unknown metric 3: trials are compared by"),
        ("metric = ['x']\n[parameters]\nseed = [1]", "unknown metric ['x']"),
        ("learning_rat = [1]", "unknown parameter 'learning_rat'; did you mean learning_rate?"),
        ("TRAIN_BATCH_SIZE = [1]", "'TRAIN_BATCH_SIZE'; did you mean batch_size?"),
        ("compare_with = ['a', 'b']", "unknown parameter 'compare_with'; there is base_model,"),
        ("seed = []", "seed needs values that differ"),
        ("seed = [1, 1.0]", "seed needs values that differ"),
        ("seed = 1", "seed=1: use a range or a list, such as"),
        ("freeze_embeddings = { low = 0, high = 1 }", "use a list"),
        ("base_model = { low = 'a', high = 'b' }", "use a list"),
        ("batch_size = [0]", "batch_size=0: Input should be greater than or equal to 1"),
        ("batch_size = [[1]]", "batch_size=[1]: Input should be a valid integer"),
        ("batch_size = { low = 1.5, high = 3 }", "batch_size=1.5: Input should be a valid integer"),
        ("epochs = { low = 0, high = 3 }", "epochs=0: a trial trains for an epoch or more"),
        ("learning_rate = { low = 1e-5 }", "learning_rate lacks high"),
        ("learning_rate = {}", "learning_rate lacks low and high"),
        ("learning_rate = { low = 1, high = inf }", "learning_rate=inf: use a finite number"),
        ("learning_rate = { low = nan, high = 1 }", "learning_rate=nan: "),
        ("learning_rate = { low = 1, high = 0.1 }", "has low=1.0 above high=0.1"),
        (
            "learning_rate = { low = 1, hihg = 2 }",
            "key of learning_rate 'hihg'; did you mean high?",
        ),
        ("weight_decay = { low = 0, high = 1, log = true }", "weight_decay has log=True"),
        ("weight_decay = { low = 0, high = 1, log = 'yes' }", "weight_decay has log='yes'"),
        ("epochs = { low = 1, high = 4, step = 2 }", "epochs has step=2, which must lead from"),
        ("epochs = { low = 1, high = 4, step = 1.5 }", "epochs has step=1.5"),
        ("warmup = { low = 0, high = 0.5, step = 0 }", "warmup has step=0"),
        ("base_model = ['https://ann:pw123456@host/x']", "base_model has a value with a secret"),
    ],
)
def test_a_mistake_is_a_sentence(tmp_path: Path, text: str | bytes, expected: str) -> None:
    if isinstance(text, str) and re.match(r"[a-zA-Z_]+ = ", text) and "parameters" not in text:
        text = f"[parameters]\n{text}"
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    said = str(raised.value)
    assert expected in said
    assert said.startswith(f"The search space {tmp_path / 'space.toml'}")
    assert "pw123456" not in said
    assert "\n" not in said.removesuffix("\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read: No such file"):
        read_space(tmp_path / "none.toml", SETTINGS)
    with pytest.raises(UsageError, match="can't be read: Is a directory"):
        read_space(tmp_path, SETTINGS)
