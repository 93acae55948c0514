"""Bring the uncompiled model into `outputs/ner/download`."""

from ner.recipe import RECIPE
from mesh.lifecycle.download import download_program

main = download_program(RECIPE)

if __name__ == "__main__":
    main()
