"""The classes of texts."""

from typing import Literal
from typing import get_args

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[str, ...] = get_args(Label)
