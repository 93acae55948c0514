"""The error that is shown to people as one sentence."""


class PlanError(Exception):
    """No plan can be made or run; the message says why, and what to do."""
