"""Make features for training from the project's raw data."""

from mesh.lifecycle.register import register_program
from ner.dataset import DATASET

main = register_program(DATASET)

if __name__ == "__main__":
    main()
