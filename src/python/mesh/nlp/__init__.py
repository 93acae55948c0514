"""Text processing that several projects share."""
