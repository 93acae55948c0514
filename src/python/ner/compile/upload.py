"""Register the validated compiled model as `KEYWORDS-COMPILED-N`."""

from mesh.lifecycle.upload import upload_program
from ner.recipe import RECIPE

main = upload_program(RECIPE)

if __name__ == "__main__":
    main()
