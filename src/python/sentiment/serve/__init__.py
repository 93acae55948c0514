"""The programs of sentiment' component serve."""
