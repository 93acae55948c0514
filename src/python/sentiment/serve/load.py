"""Put the running sentiment server under load, and judge it."""

from mesh.loadtest.program import load_program
from sentiment.project import PROJECT
from sentiment.schema import Request, Response

main = load_program(
    PROJECT,
    lambda documents: Request.model_validate(
        {"inputs": [{"document": document} for document in documents]}
    ),
    Response,
    samples="sentiment.train:samples.json",
)

if __name__ == "__main__":
    main()
