"""LSH: signatures that find near-duplicate texts, such as syndicated news, without all pairs."""
