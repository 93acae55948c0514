"""Serves a model over HTTP: a REST API, the Open Inference Protocol, docs and metrics."""
