"""Compile the downloaded model with the chosen backend into `outputs/ner/compile`."""

from ner.recipe import RECIPE
from mesh.lifecycle.trace import trace_program

main = trace_program(RECIPE)

if __name__ == "__main__":
    main()
