"""Bring a compiled version into `models/KEYWORDS-COMPILED-N`."""

from ner.project import PROJECT
from mesh.lifecycle.fetch import fetch_program

main = fetch_program(PROJECT)

if __name__ == "__main__":
    main()
