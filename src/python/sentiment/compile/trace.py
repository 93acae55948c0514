"""Compile the downloaded model with the chosen backend into `outputs/sentiment/compile`."""

from mesh.lifecycle.trace import trace_program
from sentiment.recipe import RECIPE

main = trace_program(RECIPE)

if __name__ == "__main__":
    main()
