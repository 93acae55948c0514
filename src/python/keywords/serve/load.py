"""Put the running keywords server under load, and judge it."""

from keywords.project import PROJECT
from keywords.schema import Request, Response
from mesh.loadtest.program import load_program
from mesh.serve.documents import Document

main = load_program(
    PROJECT,
    lambda documents: Request(inputs=[Document(document=text) for text in documents]),
    Response,
    samples="keywords.train:samples.json",
)

if __name__ == "__main__":
    main()
