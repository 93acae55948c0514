"""Store the project's raw labelled data as an immutable version."""

from mesh.lifecycle.ingest import ingest_program
from sentiment.dataset import DATASET

main = ingest_program(DATASET)

if __name__ == "__main__":
    main()
