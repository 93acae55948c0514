"""Before any test is imported, packages of others are told to report nothing about their use."""

import mesh  # noqa: F401
