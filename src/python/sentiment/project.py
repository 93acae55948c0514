"""The declaration of the project."""

from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project

PROJECT = Project(
    name="sentiment",
    description="Whether a text is negative, neutral or positive.",
    port=8002,
    steps=DATA_STEPS + TRAINED_STEPS,
)
