"""Bring the uncompiled model into `outputs/keywords/download`."""

from keywords.recipe import RECIPE
from mesh.lifecycle.download import download_program

main = download_program(RECIPE)

if __name__ == "__main__":
    main()
