"""The programs of the component serve of entity-fishing."""
