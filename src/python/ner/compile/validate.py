"""Run the regression suite on the compiled model and report into `outputs/ner/validate`."""

from mesh.lifecycle.validate import validate_program
from ner.recipe import RECIPE

main = validate_program(RECIPE)

if __name__ == "__main__":
    main()
