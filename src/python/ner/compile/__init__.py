"""The programs of ner' component compile."""
