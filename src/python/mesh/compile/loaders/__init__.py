"""One module for each backend with `load(directory, spec, threads) -> Network`, imported by name."""
