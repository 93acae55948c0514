"""Text processing that several projects share.

Modules whose docstring begins with "Reading documents" are steps of `document`, those that begin
with "Sentences" of `sentences`; only they need them. docs/nlp.md has a section for each purpose.
"""
