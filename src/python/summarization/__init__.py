"""Summaries of documents: the sentences that say most, or a text that a language model writes."""
