"""Serve summarization over HTTP."""

from mesh.serve.program import serve_program
from summarization.project import PROJECT
from summarization.serve.model import SummarizationModel
from summarization.settings import SummarizationSettings

create_model = SummarizationModel

main = serve_program(PROJECT, create_model, SummarizationSettings)

if __name__ == "__main__":
    main()
