"""Named entities: persons, organisations, places and other names in a text."""
