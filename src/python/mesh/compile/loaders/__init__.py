"""One module for each backend with `load(directory, spec, threads) -> Program`, picked by the backend's name."""
