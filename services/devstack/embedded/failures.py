"""What can go wrong before anything runs: each message is one sentence a newcomer can act on."""


class CannotRun(Exception):
    """A part cannot be started; the message says what, where and what to do."""


class JarsUnavailable(CannotRun):
    """Kafka's jars are neither cached nor to be had."""


class FolderUnusable(CannotRun):
    """A folder cannot be written, or not be reached by the user a part runs as."""


class PartFailed(CannotRun):
    """A part was started and did not become ready; the message quotes the end of its log."""


class PortTaken(CannotRun):
    """A port a service is to listen on is in use."""


class AlreadyRunning(CannotRun):
    """Another `drumbeat run` holds the data directory."""
