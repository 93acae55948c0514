"""Put the running entity-fishing server under load, and judge it."""

from entity_fishing.project import PROJECT
from entity_fishing.schema import Request, Response
from mesh.loadtest.program import load_program

main = load_program(
    PROJECT,
    lambda documents: Request.model_validate(
        {"inputs": [{"document": document} for document in documents]}
    ),
    Response,
    samples="entity_fishing.serve:samples.json",
)

if __name__ == "__main__":
    main()
