"""Kafka's jars: fetched once from Maven Central, checked against the committed lock, kept in the cache."""

import hashlib
import sys
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import cast

from services.devstack.embedded.cache import cache_folder, one_at_a_time
from services.devstack.embedded.failures import JarsUnavailable

LOCK = Path(__file__).parent / "kafka.lock"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Jar:
    """One archive: its Maven coordinates and the checksum its bytes must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def place(self) -> Path:
        """Where a Maven repository keeps it."""
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


@cache
def locked_jars(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The jars of the committed lock, in the order of the class path."""
    entries = cast("list[dict[str, str]]", tomllib.loads(lock.read_text())["jar"])
    return tuple(Jar(each["group"], each["artifact"], each["version"], each["sha256"]) for each in entries)


def lock_digest(lock: Path = LOCK) -> str:
    """Twelve characters that change with the lock."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12]


def say(line: str) -> None:
    """Progress for people, on the error stream."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def class_path(progress: Progress = say) -> tuple[Path, ...]:
    """The verified jars on this machine, fetched first if need be; `JarsUnavailable` says what was tried."""
    repository = cache_folder() / "maven"
    jars = locked_jars()
    wanted = [jar for jar in jars if not _is_sound(repository / jar.place, jar)]
    if wanted:
        repository.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(cache_folder(), "jars"):
            _fetch(
                [jar for jar in wanted if not _is_sound(repository / jar.place, jar)], repository, progress
            )
    return tuple(repository / jar.place for jar in jars)


def _is_sound(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _fetch(jars: Sequence[Jar], repository: Path, progress: Progress) -> None:
    if not jars:
        return
    progress(f"Fetching Apache Kafka: {len(jars)} jars, about 43 MB, once (kept in {repository})")
    pool = ThreadPoolExecutor(max_workers=6)
    try:
        for count, jar in enumerate(pool.map(partial(_fetch_one, repository), jars), start=1):
            if count % 5 == 0 or count == len(jars):
                progress(f"  {count:2d}/{len(jars)}  {jar.name}")
    finally:
        pool.shutdown(cancel_futures=True)  # after one failure the rest is not tried


def _fetch_one(repository: Path, jar: Jar) -> Jar:
    from jgo.config import GlobalSettings  # noqa: PLC0415 - slow to import, needed once per machine
    from jgo.maven import MavenContext  # noqa: PLC0415

    settings = GlobalSettings.load()  # honours a mirror of the user's own
    path = repository / jar.place
    path.unlink(missing_ok=True)
    context = MavenContext(
        repo_cache=repository,
        local_repos=[],
        remote_repos=settings.repositories or None,
        timeout=30,
    )
    try:
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except Exception as trouble:
        raise JarsUnavailable(_unavailable(jar, context.remote_repos, _innermost(trouble))) from trouble
    if not _is_sound(path, jar):
        path.unlink(missing_ok=True)
        raise JarsUnavailable(_unavailable(jar, context.remote_repos, "its checksum differs from the lock"))
    return jar


def _innermost(trouble: BaseException) -> str:
    """The first cause in a chain of exceptions: what the network said, not who passed it on."""
    while (before := trouble.__cause__ or trouble.__context__) is not None:
        trouble = before
    return str(trouble) or type(trouble).__name__


def _unavailable(jar: Jar, repositories: dict[str, str], trouble: str) -> str:
    return (
        f"Apache Kafka's jars are not to be had: {jar.group}:{jar.artifact}:{jar.version} from "
        f"{', '.join(repositories)} ({trouble.splitlines()[0]}). "
        f"Check the connection and try again, name a mirror under [repositories] in ~/.jgorc, "
        f"or set DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS to any Kafka broker of 3.7 or later."
    )
