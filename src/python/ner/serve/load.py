"""Put the running ner server under load, and judge it."""

from mesh.loadtest.program import load_program
from ner.project import PROJECT
from ner.schema import Request, Response

main = load_program(
    PROJECT,
    lambda documents: Request.model_validate(
        {"inputs": [{"document": document} for document in documents]}
    ),
    Response,
    samples="ner.train:samples.json",
)

if __name__ == "__main__":
    main()
