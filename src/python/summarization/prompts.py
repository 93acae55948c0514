"""Instructions for the language model: versioned templates, one for each summary language."""

import importlib.resources
from functools import cache
from string import Template

from summarization.schema import Language

VERSION = "1"
"""Folder of the templates. A change that alters summaries gets a new one: the bio names it."""


def prompt(language: Language, desired_length: int) -> str:
    """The instruction for a summary in a language; the document itself is never part of it."""
    return _template(language).substitute(desired_length=desired_length)


@cache
def _template(language: Language) -> Template:
    folder = importlib.resources.files("summarization").joinpath("prompts", VERSION)
    return Template(folder.joinpath(f"{language}.txt").read_text(encoding="utf-8"))
