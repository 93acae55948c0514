"""The programs of the component serve of summarization."""
