"""The programs of sentiment' component compile."""
