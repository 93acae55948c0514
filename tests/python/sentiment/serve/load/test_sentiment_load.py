"""The sentiment server under load, with real weights: measured, judged, and its results in the registry."""

from pathlib import Path

import pytest

from load_suite import check_load
from load_suite import run
from sentiment.project import PROJECT


def test_load_is_borne_and_the_results_are_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How good the model is does not matter here.
    monkeypatch.setenv("TRAIN_EPOCHS", "1")
    results = check_load(PROJECT, tmp_path)
    assert results.is_relative_to(tmp_path / "models" / "SENTIMENT-COMPILED-1")
    code, output = run(PROJECT, tmp_path, "serve:upload-results")
    assert code == 0, output
    assert output.count(" now") == len(list(results.iterdir()))
