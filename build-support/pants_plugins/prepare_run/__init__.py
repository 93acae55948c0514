"""Everything that `run` does before it starts the program."""
