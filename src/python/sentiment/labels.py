"""The classes of texts."""

from typing import Literal, get_args

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[str, ...] = get_args(Label)
