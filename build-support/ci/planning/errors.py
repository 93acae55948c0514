"""The error that people see as one sentence."""


class PlanError(Exception):
    """No plan can be made or run; the message gives the reason and the remedy."""
