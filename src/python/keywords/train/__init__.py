"""The programs of keywords' component train."""
