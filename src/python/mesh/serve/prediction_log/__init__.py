"""A sampled log of predictions: their facts, by which drift is found.

It is not imported unless it is asked for.
"""
