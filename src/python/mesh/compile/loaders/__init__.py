"""A module for each backend, imported by name.

`require(device, named)` makes sure that the device is here, and `load(directory, spec, threads, device)`
returns the `Network`.
"""
