"""Links names in texts to Wikidata.

The links come from a knowledge base of its own or from an entity-fishing server.
"""
