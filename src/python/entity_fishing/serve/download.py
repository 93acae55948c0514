"""Bring the sentence encoder into `models/`, compiled from a base model unless it is there."""

from entity_fishing.project import PROJECT
from mesh.lifecycle.encoder import encoder_program

main = encoder_program(PROJECT)

if __name__ == "__main__":
    main()
