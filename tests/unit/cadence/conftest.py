"""Property tests have no deadline: they must not fail because the machine is busy."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
