"""Settings, logging, errors, files and fingerprints: what every other library stands on."""
