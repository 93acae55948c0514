"""Plans: the checks, tests, packages, images and models that a change needs, with reasons."""
