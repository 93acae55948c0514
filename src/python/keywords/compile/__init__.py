"""The programs of keywords' component compile."""
