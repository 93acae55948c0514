"""Datasets: reading labelled texts, storing them in immutable versions, preparing them for training."""
