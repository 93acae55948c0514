"""Put the running summarization server under load, and judge it."""

from mesh.loadtest.program import load_program
from mesh.serve.documents import Document
from summarization.project import PROJECT
from summarization.schema import Request, Response

main = load_program(
    PROJECT,
    lambda documents: Request(inputs=[Document(document=text) for text in documents]),
    Response,
    samples="summarization.serve:samples.json",
)

if __name__ == "__main__":
    main()
