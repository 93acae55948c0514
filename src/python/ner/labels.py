"""The types of entities."""

from typing import Literal, get_args

Label = Literal["PER", "ORG", "LOC", "MISC"]
"""Persons, organisations, places; and other names: events, works, products, nationalities, languages."""
LABELS: tuple[str, ...] = get_args(Label)
