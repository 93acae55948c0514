"""The programs of sentiment's component register."""
