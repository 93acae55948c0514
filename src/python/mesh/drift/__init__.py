"""Drift: whether predictions differ from those of a reference, more than chance explains."""
