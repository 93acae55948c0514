"""Register the validated compiled model as `KEYWORDS-COMPILED-N`."""

from sentiment.recipe import RECIPE
from mesh.lifecycle.upload import upload_program

main = upload_program(RECIPE)

if __name__ == "__main__":
    main()
