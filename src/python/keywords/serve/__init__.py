"""The programs of keywords' component serve."""
