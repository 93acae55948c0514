"""A module for each backend, imported by name.

`require(device, named)` makes sure that the device is here, `precisions()` are those that the backend
has on this processor, the fastest first, and `load(directory, spec, use)` returns the `Network`.
"""
