"""Folders that PostgreSQL's own user can enter, for root with a home folder that is closed to other users.

PostgreSQL's binaries are copied and its cluster is stored below one open folder; the data directory keeps a pointer.
"""

import os
import shutil
from pathlib import Path

from services.chassis.ids import fresh
from services.devstack.embedded.cache import one_at_a_time
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.processes import RunAs, closed_parent, print_line

OPEN_FOLDER = Path("/var/lib/drumbeat")
_POINTER = "kept-elsewhere"


def reachable_tools(tools: Path, user: RunAs | None, shared: Path = OPEN_FOLDER) -> Path:
    """`tools` (the `bin` of an installation), or the `bin` of a copy that `user` can enter."""
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
            incomplete = copy.with_suffix(".new")
            shutil.rmtree(incomplete, ignore_errors=True)
            shutil.copytree(installation, incomplete / package.name / installation.name, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, incomplete / libraries.name)
            incomplete.chmod(0o755)
            (incomplete / package.name).chmod(0o755)
            incomplete.rename(copy)
    return copy / package.name / installation.name / tools.name


def reachable_cluster(folder: Path, user: RunAs | None, shared: Path = OPEN_FOLDER) -> Path:
    """Where the cluster of `folder` is stored: in it, or in an open folder that it points to."""
    pointer = folder / _POINTER
    if pointer.exists():
        return Path(pointer.read_text().strip())
    closed = closed_parent(folder.parent, user)
    if closed is None or user is None:
        return folder
    _open(shared, closed, "DRUMBEAT_DATA_DIR to a folder that user can enter")
    home = shared / f"postgres-{fresh()}"
    home.mkdir(mode=0o700)
    os.chown(home, user.uid, user.gid)
    folder.mkdir(parents=True, exist_ok=True)
    pointer.write_text(f"{home}\n")
    print_line(
        f"PostgreSQL runs as the user {user.name}, who cannot enter {closed}: its files are stored in {home}"
    )
    return home


def _open(shared: Path, closed: Path, setting: str) -> None:
    try:
        shared.mkdir(parents=True, exist_ok=True)
        shared.chmod(0o755)
    except OSError as denied:
        raise CannotRun(
            f"PostgreSQL runs as a user who cannot enter {closed}, and {shared} cannot be created for it "
            f"({denied.strerror}): run `chmod o+x {closed}`, start Drumbeat as an ordinary user, or set {setting}."
        ) from denied
