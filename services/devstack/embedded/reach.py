"""Places PostgreSQL's own user can enter, for when we are root in a home that is closed to everybody else.

Its binaries are copied and its cluster is kept below one open folder; a pointer stays where it belongs.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from services.chassis.ids import fresh
from services.devstack.embedded.cache import one_at_a_time
from services.devstack.embedded.failures import FolderUnusable
from services.devstack.embedded.processes import RunAs, closed_parent

OPEN_FOLDER = Path("/var/lib/drumbeat")
_POINTER = "kept-elsewhere"


def reachable_tools(tools: Path, user: RunAs | None, shared: Path = OPEN_FOLDER) -> Path:
    """`tools` (the `bin` of an installation), or that of a copy `user` can reach."""
    closed = closed_parent(tools, user)
    if closed is None:
        return tools
    installation = tools.parent  # <site>/<package>/<installation>/bin; its libraries in <site>/<package>.libs
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy = shared / f"postgresql-{installation.stat().st_mtime_ns:x}"
    _open(shared, closed, "DRUMBEAT_DATABASE__URL to a PostgreSQL of your own")
    with one_at_a_time(shared, "copy"):
        if not copy.exists():
            half_made = copy.with_suffix(".new")
            shutil.rmtree(half_made, ignore_errors=True)
            shutil.copytree(installation, half_made / package.name / installation.name, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, half_made / libraries.name)
            half_made.chmod(0o755)
            (half_made / package.name).chmod(0o755)
            half_made.rename(copy)
    return copy / package.name / installation.name / tools.name


def reachable_cluster(
    folder: Path, user: RunAs | None, say: Callable[[str], None], shared: Path = OPEN_FOLDER
) -> Path:
    """Where the cluster that belongs to `folder` lies: in it, or in an open folder it points to."""
    pointer = folder / _POINTER
    if pointer.exists():
        return Path(pointer.read_text().strip())
    closed = closed_parent(folder.parent, user)
    if closed is None or user is None:
        return folder
    _open(shared, closed, "DRUMBEAT_DATA_DIR to a folder that user can enter")
    place = shared / f"postgres-{fresh()}"
    place.mkdir(mode=0o700)
    os.chown(place, user.uid, user.gid)
    folder.mkdir(parents=True, exist_ok=True)
    pointer.write_text(f"{place}\n")
    say(f"PostgreSQL runs as the user {user.name}, who cannot enter {closed}: its files are kept in {place}")
    return place


def _open(shared: Path, closed: Path, instead: str) -> None:
    try:
        shared.mkdir(parents=True, exist_ok=True)
        shared.chmod(0o755)
    except OSError as denied:
        raise FolderUnusable(
            f"PostgreSQL runs as a user who cannot enter {closed}, and {shared} cannot be made for it "
            f"({denied.strerror}): run `chmod o+x {closed}`, start Drumbeat as an ordinary user, or set {instead}."
        ) from denied
