"""Whether a child has ended: told by the kernel, or looked for where it does not tell."""

import os
import signal
from pathlib import Path

import pytest

from services.devstack.embedded import processes


@pytest.mark.parametrize("is_told", [True, False])
async def test_the_end_of_a_child_is_noticed_and_a_wait_ends_without_it(
    is_told: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_not_told(_: int) -> int:
        raise OSError

    if not is_told:
        monkeypatch.setattr(os, "pidfd_open", is_not_told)
    child = processes.spawn(["sleep", "600"], log=tmp_path / "child.log")
    try:
        assert not await processes.until_exit(child, 0.05)
        child.send_signal(signal.SIGTERM)
        assert await processes.until_exit(child, 60)
        assert child.returncode == -signal.SIGTERM
        assert await processes.until_exit(child, 0), "also when it has ended before"
    finally:
        processes.kill(child)
