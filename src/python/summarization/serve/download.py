"""Bring the sentence encoder into `models/`, compiled from a base model unless it is there."""

from mesh.lifecycle.encoder import encoder_program
from summarization.project import PROJECT

main = encoder_program(PROJECT)

if __name__ == "__main__":
    main()
