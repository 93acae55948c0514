"""The declaration of the project."""

from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="lsh",
    description="Signatures of documents; near-duplicates share a part of them.",
    port=8004,
    kind="code-only",
    steps=CODE_ONLY_STEPS,
)
