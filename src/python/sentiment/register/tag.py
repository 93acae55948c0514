"""Give a version of the project's features a tag."""

from mesh.lifecycle.tag import tag_program
from sentiment.project import PROJECT

main = tag_program(PROJECT)

if __name__ == "__main__":
    main()
