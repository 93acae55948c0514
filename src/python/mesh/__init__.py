"""Libraries of the ML mesh; each folder is one library, layered as docs/architecture.md shows."""
