"""Registered model versions: publish, fetch, name, attach to, verify."""
