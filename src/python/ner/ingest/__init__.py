"""The programs of ner's component ingest."""
