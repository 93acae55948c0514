"""Bring the uncompiled model into `outputs/sentiment/download`."""

from mesh.lifecycle.download import download_program
from sentiment.recipe import RECIPE

main = download_program(RECIPE)

if __name__ == "__main__":
    main()
