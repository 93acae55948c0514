"""A module for each backend, imported by name: `load(directory, spec, threads) -> Network`."""
