"""The programs of ner's component register."""
