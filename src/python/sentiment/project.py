"""The declaration of the project."""

from mesh.core.project import DATA_STEPS
from mesh.core.project import TRAINED_STEPS
from mesh.core.project import Project

PROJECT = Project(
    name="sentiment",
    description="Whether a text is negative, neutral or positive.",
    port=8002,
    steps=DATA_STEPS + TRAINED_STEPS,
)
