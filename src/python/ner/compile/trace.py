"""Compile the downloaded model with the chosen backend into `outputs/ner/compile`."""

from mesh.lifecycle.trace import trace_program
from ner.recipe import RECIPE

main = trace_program(RECIPE)

if __name__ == "__main__":
    main()
