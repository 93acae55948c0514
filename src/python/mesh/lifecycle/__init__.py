"""The generic steps of a trained project: train, download, trace, validate, upload, fetch."""
