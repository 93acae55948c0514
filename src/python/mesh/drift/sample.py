"""Facts of many predictions, by their names: what is compared."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from mesh.serve.facts import Fact

CHARACTERS = "document.characters"
LANGUAGE = "document.language"
"""Facts of documents; those of predictions have the names of a response's fields."""


@dataclass(eq=False)
class Sample:
    """Facts of predictions.

    Attributes:
        numbers: the values of each number.
        labels: how often each label is there.
        predictions: how many they are.
    """

    numbers: dict[str, Sequence[float]] = field(default_factory=dict)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    predictions: int = 0

    def add(self, facts: Mapping[str, Fact], characters: int | None, language: str | None) -> None:
        """Add a prediction, with what is known of its document."""
        self.predictions += 1
        if characters is not None:
            self._add(CHARACTERS, float(characters))
        if language is not None:
            self._add(LANGUAGE, language)
        for name, fact in facts.items():
            self._add(name, fact)

    def _add(self, name: str, fact: Fact) -> None:
        if isinstance(fact, float | int):
            values = self.numbers.setdefault(name, array("d"))
            assert isinstance(values, array)  # noqa: S101 - as it is made
            values.append(fact)
        elif isinstance(fact, str):
            self.labels.setdefault(name, Counter())[fact] += 1
        else:
            self.labels.setdefault(name, Counter()).update(fact)


class StoredSample(BaseModel):
    """A sample as a version keeps it, in JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    predictions: int
    numbers: dict[str, tuple[float, ...]]
    labels: dict[str, dict[str, int]]

    @classmethod
    def of(cls, sample: Sample, most: int) -> "StoredSample":
        """A sample with at most so many values of each number, evenly taken from all of them."""
        return cls(
            predictions=sample.predictions,
            numbers={
                name: tuple(round(one, 6) for one in _evenly(sorted(values), most))
                for name, values in sample.numbers.items()
            },
            labels={name: dict(counts) for name, counts in sample.labels.items()},
        )

    def sample(self) -> Sample:
        """It, to compare with."""
        return Sample(
            numbers=dict(self.numbers),
            labels={name: Counter(counts) for name, counts in self.labels.items()},
            predictions=self.predictions,
        )


def _evenly(values: Sequence[float], most: int) -> Sequence[float]:
    if len(values) <= most:
        return values
    return [values[(2 * number + 1) * len(values) // (2 * most)] for number in range(most)]
