"""Serve entity-fishing over HTTP."""

from entity_fishing.project import PROJECT
from entity_fishing.serve.model import EntityFishingModel
from entity_fishing.settings import EntityFishingSettings
from mesh.serve.program import serve_program

create_model = EntityFishingModel

main = serve_program(PROJECT, create_model, EntityFishingSettings)

if __name__ == "__main__":
    main()
