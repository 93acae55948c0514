"""Run the regression suite on the compiled model and report into `outputs/sentiment/validate`."""

from mesh.lifecycle.validate import validate_program
from sentiment.recipe import RECIPE

main = validate_program(RECIPE)

if __name__ == "__main__":
    main()
