"""Make a knowledge base from a JSON dump of Wikidata."""

from entity_fishing.knowledge_base.building import BuildSettings, build
from mesh.core.program import Program

main = Program(
    component="entity_fishing.knowledge_base",
    name="build",
    run=build,
    settings=(BuildSettings,),
)

if __name__ == "__main__":
    main()
