"""The bench this replica judges at, kept in step with the epoch that all replicas share."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import structlog

from services.rules_engine.adapters.epoch import Epoch, Epochs
from services.rules_engine.application.judge import Bench
from services.rules_engine.domain.book import Book
from services.rules_engine.domain.policy import Policy

log = structlog.get_logger(__name__)

RETRY_REAL_SECONDS = 30


def read_texts(path: Path) -> dict[str, str]:
    """The policy's files by name: one file, or the `*.yaml` of a flat folder. Raises OSError."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return {str(file): file.read_text(encoding="utf-8") for file in files}


class BenchKeeper:
    """Holds the current bench; `refresh` takes up what another replica, or the book, changed."""

    def __init__(self, epochs: Epochs, read: Callable[[Mapping[str, str]], Policy], *, rate: float) -> None:
        self._epochs = epochs
        self._read = read
        self._retry_after = timedelta(seconds=RETRY_REAL_SECONDS * rate)
        self._policies: dict[str, Policy] = {}
        self._bench: Bench | None = None

    def now(self) -> Bench:
        if self._bench is None:
            raise LookupError("no policy is in force yet")
        return self._bench

    async def open(self, files: Mapping[str, str], name: str, mode: str) -> None:
        """Put the policy of these files in force under this mode."""
        policy = self._read(files)
        self._policies[policy.hash] = policy
        self._take(await self._epochs.open(policy.hash, name, dict(files), mode))

    async def refresh(self) -> None:
        epoch = await self._epochs.current()
        if self._bench is not None and epoch.number == self._bench.epoch:
            return
        if epoch.policy_hash not in self._policies:
            self._policies[epoch.policy_hash] = self._read(await self._epochs.files_of(epoch.policy_hash))
        self._take(epoch)
        log.info("policy.in_force", policy=epoch.policy_hash, epoch=epoch.number, mode=epoch.mode)

    def _take(self, epoch: Epoch) -> None:
        self._bench = Bench(
            policy=self._policies[epoch.policy_hash],
            book=Book(epoch=epoch.number),
            epoch=epoch.number,
            publish=epoch.mode != "observe",
            retry_after=self._retry_after,
        )
