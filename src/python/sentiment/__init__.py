"""Sentiment: whether a text is negative, neutral or positive."""
