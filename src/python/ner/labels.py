"""The types of entities."""

from typing import Literal, get_args

Label = Literal["PER", "ORG", "LOC", "MISC"]
"""Persons, organisations, places, and other names.

The others are events, works, products, nationalities and languages.
"""
LABELS: tuple[str, ...] = get_args(Label)
