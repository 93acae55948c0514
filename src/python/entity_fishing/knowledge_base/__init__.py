"""The program that makes a knowledge base from a dump of Wikidata."""
