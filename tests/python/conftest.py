"""What holds for all tests.

Before any is imported, packages of others are told to report nothing about their use. Property
tests may take as long as they need, since a slow machine isn't a defect.
"""

from hypothesis import HealthCheck, settings

import mesh  # noqa: F401

settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")
