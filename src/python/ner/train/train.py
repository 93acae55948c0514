"""Fine-tune a base model on the project's features and register it as `NER-TRAINED-N`."""

from mesh.lifecycle.train import train_program
from ner.recipe import RECIPE

main = train_program(RECIPE)

if __name__ == "__main__":
    main()
