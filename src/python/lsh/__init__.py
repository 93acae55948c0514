"""LSH: signatures by which near-duplicate texts, such as syndicated news, are found without comparing all pairs."""
