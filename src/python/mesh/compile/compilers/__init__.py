"""One module for each backend with `compile_program(module, spec, directory)`, picked by the backend's name."""
