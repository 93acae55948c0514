"""The programs of sentiment' component train."""
