"""Predictions of a model for any number of documents, on one machine or on a Ray cluster."""
