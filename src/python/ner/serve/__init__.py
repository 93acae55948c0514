"""The programs of ner' component serve."""
