"""Bring the uncompiled model into `outputs/ner/download`."""

from mesh.lifecycle.download import download_program
from ner.recipe import RECIPE

main = download_program(RECIPE)

if __name__ == "__main__":
    main()
