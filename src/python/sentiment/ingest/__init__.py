"""The programs of sentiment's component ingest."""
