"""Put the running lsh server under load, and judge it."""

from lsh.project import PROJECT
from lsh.schema import Request, Response
from mesh.loadtest.program import load_program
from mesh.serve.documents import Document

main = load_program(
    PROJECT,
    lambda documents: Request(inputs=[Document(document=text) for text in documents]),
    Response,
    samples="lsh.serve:samples.json",
)

if __name__ == "__main__":
    main()
