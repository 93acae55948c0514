"""Run the regression suite on the compiled model and report into `outputs/sentiment/validate`."""

from sentiment.recipe import RECIPE
from mesh.lifecycle.validate import validate_program

main = validate_program(RECIPE)

if __name__ == "__main__":
    main()
