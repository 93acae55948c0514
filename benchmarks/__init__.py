"""Comparisons with other tools, in one run on one machine; docs/performance.md has results."""
