"""Kubernetes manifests of a project's server."""
