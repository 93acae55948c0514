"""Datasets: labelled texts in immutable versions, prepared for training."""
