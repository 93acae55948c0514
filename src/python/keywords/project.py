"""The declaration of the project."""

from mesh.core.project import Project

PROJECT = Project(
    name="keywords",
    description="Keywords and key phrases of documents, ranked by their closeness to the "
    "document's meaning.",
    port=8001,
)
