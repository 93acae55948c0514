"""Register the base model with its predictions of the sample documents as `KEYWORDS-TRAINED-N`."""

from keywords.recipe import RECIPE
from mesh.lifecycle.train import train_program

main = train_program(RECIPE)

if __name__ == "__main__":
    main()
