"""The programs of ner' component train."""
