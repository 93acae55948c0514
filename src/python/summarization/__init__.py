"""Summaries of documents: their most central sentences, or text from a language model."""
