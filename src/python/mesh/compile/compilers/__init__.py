"""One module for each backend with `compile_network(module, spec, directory)`, imported by name."""
