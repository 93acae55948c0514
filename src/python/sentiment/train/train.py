"""Fine-tune a base model on the project's features and register it as `SENTIMENT-TRAINED-N`."""

from mesh.lifecycle.train import train_program
from sentiment.recipe import RECIPE

main = train_program(RECIPE)

if __name__ == "__main__":
    main()
