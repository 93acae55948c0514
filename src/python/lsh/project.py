"""The declaration of the project."""

from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="lsh",
    description="Signatures of documents, of which near-duplicates share a part.",
    port=8004,
    kind="code-only",
    steps=CODE_ONLY_STEPS,
)
