"""The declaration of the project."""

from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="summarization",
    description="Summaries of documents, of their own sentences or written by a language model.",
    port=8006,
    kind="code-only",
    steps=CODE_ONLY_STEPS,
)
