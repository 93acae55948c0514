"""Links from names in texts to Wikidata, by a knowledge base of its own or by an entity-fishing server."""
