"""Load tests of running servers: requests, measurements, criteria, a verdict."""
