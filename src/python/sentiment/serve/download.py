"""Bring a compiled version into `models/KEYWORDS-COMPILED-N`."""

from mesh.lifecycle.fetch import fetch_program
from sentiment.project import PROJECT

main = fetch_program(PROJECT)

if __name__ == "__main__":
    main()
