"""The space of a search: which settings of a training are tried, as a TOML file says."""

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import ValidationError

from mesh.core.errors import UsageError
from mesh.core.secret_values import mask_secret
from mesh.lifecycle.search.messages import METRICS, SCORE
from mesh.lifecycle.training.settings import FineTuneSettings

_SETTINGS = (
    *("base_model", "epochs", "learning_rate", "head_learning_rate", "batch_size", "warmup"),
    *("weight_decay", "freeze_embeddings", "max_length", "patience", "seed"),
)
_RANGE = ("low", "high", "log", "step")
_EXAMPLE = "learning_rate = { low = 1e-5, high = 1e-3, log = true } or batch_size = [16, 32]"


@dataclass(frozen=True)
class Space:
    """The settings that trials try, and the figure by which they are compared.

    Args:
        distributions: of each setting's values.
    """

    metric: str
    distributions: Mapping[str, BaseDistribution]

    @property
    def is_maximized(self) -> bool:
        """Whether more is better."""
        return METRICS[self.metric][1] == "maximize"

    @property
    def first(self) -> dict[str, Any]:
        """One value of each setting, always the same."""
        return {
            name: each.choices[0] if isinstance(each, CategoricalDistribution) else each.low  # type: ignore[attr-defined]
            for name, each in self.distributions.items()
        }

    @property
    def described(self) -> dict[str, Any]:
        """The space as JSON-serialisable values, for people and for its fingerprint."""
        return {
            "metric": self.metric,
            **{name: _described(each) for name, each in self.distributions.items()},
        }


def read_space(path: Path, settings: FineTuneSettings) -> Space:
    """Read the space of a search.

    Args:
        settings: of the trainings; each value must be one of theirs.

    Raises:
        UsageError: the file can't be read or isn't TOML; a setting, a value or the metric is unknown
            or wrong.
    """
    try:
        found = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"The search space {path} can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The search space {path} isn't TOML: {error}.") from error
    where = f"The search space {path}"
    _check_known(where, "key", found, ("metric", "parameters"))
    metric = found.get("metric", SCORE)
    if metric not in list(METRICS):
        raise UsageError(
            f"{where} has the unknown metric {metric!r}: trials are compared by "
            f"{' or '.join(METRICS)}, since the test split stays unseen until a version is chosen."
        )
    parameters = found.get("parameters")
    if not isinstance(parameters, dict) or not parameters:
        raise UsageError(f"{where} needs a table [parameters], with lines such as {_EXAMPLE}.")
    _check_known(where, "parameter", parameters, _SETTINGS)
    return Space(
        metric,
        {
            name: _Parameter(where, name, settings).distribution(value)
            for name, value in parameters.items()
        },
    )


def changed(settings: FineTuneSettings, values: Mapping[str, Any]) -> FineTuneSettings:
    """Settings with other values for some.

    Raises:
        ValidationError: a value is wrong.
    """
    return FineTuneSettings(**{**dict(settings), **values})


@dataclass(frozen=True)
class _Parameter:
    """A setting in a file, which is checked."""

    where: str
    name: str
    settings: FineTuneSettings

    def distribution(self, value: Any) -> BaseDistribution:
        if isinstance(value, list):
            return self._choices(value)
        kind = FineTuneSettings.model_fields[self.name].annotation
        if not isinstance(value, dict) or kind not in (int, float):
            form = (
                f"use a range or a list, such as {_EXAMPLE}"
                if kind in (int, float)
                else "use a list"
            )
            raise self._wrong(value, form)
        return self._range(value, is_whole=kind is int)

    def _choices(self, values: Sequence[Any]) -> BaseDistribution:
        checked = [self._checked(value) for value in values]
        if not checked or len(set(checked)) < len(checked):
            raise UsageError(f"{self.where}: {self.name} needs values that differ, in its list.")
        return CategoricalDistribution(checked)

    def _range(self, found: Mapping[str, Any], *, is_whole: bool) -> BaseDistribution:
        _check_known(self.where, f"key of {self.name}", found, _RANGE)
        if missing := [key for key in ("low", "high") if key not in found]:
            raise UsageError(f"{self.where}: {self.name} lacks {' and '.join(missing)}.")
        low, high = self._checked(found["low"]), self._checked(found["high"])
        log, step = found.get("log", False), found.get("step")
        if low > high:
            raise UsageError(f"{self.where}: {self.name} has low={low} above high={high}.")
        if not isinstance(log, bool) or (log and (low <= 0 or step is not None)):
            raise UsageError(
                f"{self.where}: {self.name} has log={log!r}; it is true or false, and true only "
                "without step, for values above 0."
            )
        if step is not None and not _fits(low, high, step, is_whole=is_whole):
            raise UsageError(
                f"{self.where}: {self.name} has step={step!r}, which must lead from low={low} to "
                f"high={high}."
            )
        if is_whole:
            return IntDistribution(low, high, log=log, step=step or 1)
        return FloatDistribution(low, high, log=log, step=step)

    def _checked(self, value: Any) -> Any:
        """A value as the settings have it."""
        try:
            checked = getattr(changed(self.settings, {self.name: value}), self.name)
        except ValidationError as error:
            raise self._wrong(value, error.errors(include_url=False)[0]["msg"]) from error
        if isinstance(checked, float) and not math.isfinite(checked):
            raise self._wrong(value, "use a finite number")
        if self.name == "epochs" and not checked:
            raise self._wrong(value, "a trial trains for an epoch or more")
        if mask_secret(self.name, checked) != checked:
            raise UsageError(f"{self.where}: {self.name} has a value with a secret in it.")
        return checked

    def _wrong(self, value: Any, reason: str) -> UsageError:
        shown = mask_secret(self.name, value)
        return UsageError(f"{self.where}: {self.name}={shown!r}: {reason.rstrip('.')}.")


def _check_known(where: str, what: str, found: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name.lower().removeprefix("train_"), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}."
            raise UsageError(f"{where} has the unknown {what} {name!r}; {hint}")


def _fits(low: float, high: float, step: Any, *, is_whole: bool) -> bool:
    """Whether steps lead from low to high."""
    if isinstance(step, bool) or not isinstance(step, int if is_whole else int | float):
        return False
    count = (high - low) / step if step > 0 else math.nan
    return math.isfinite(count) and math.isclose(count, round(count), abs_tol=1e-6)


def _described(distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    return {key: vars(distribution)[key] for key in _RANGE if vars(distribution)[key] is not None}
