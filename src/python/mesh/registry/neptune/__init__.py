"""The registry on Neptune."""
