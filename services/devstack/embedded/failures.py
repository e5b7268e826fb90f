"""Why embedded parts or a run cannot start; each message is one sentence that says what to do."""

from services.chassis.settings import CannotStart


class CannotRun(CannotStart):
    """A part or a run cannot be started; the message says what, where and what to do."""


class PartFailed(CannotRun):
    """A part was started and did not become ready; the message quotes the end of its log."""
