"""Settings, logging, errors, files and fingerprints: the base of all other libraries."""
