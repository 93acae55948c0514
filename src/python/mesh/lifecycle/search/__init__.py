"""Searches: trainings with many settings, of which the best is found."""
