"""The declaration of the project."""

from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project

PROJECT = Project(
    name="ner",
    description="Persons, organisations, places and other names in a text.",
    port=8003,
    steps=DATA_STEPS + TRAINED_STEPS,
)
