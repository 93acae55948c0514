"""The declaration of the project."""

from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="entity-fishing",
    description="Links from names in documents to the entities of Wikidata that they stand for.",
    port=8005,
    kind="code-only",
    steps=("serve:download", *CODE_ONLY_STEPS),
    # It makes the encoder.
    modules={"serve:download": "mesh.lifecycle.encoder"},
)
