"""A folder for a broker of ours, which goes with its owner, if need be later.

Rule of the module: who owns a folder holds a lock in it, which the kernel takes back however the
owner ends. A folder whose lock nobody holds is left from one that was killed, and goes when the
next is made; one that has no lock is not known to be ours and stays.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

_OWNER: Final = "owner.lock"
_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class OwnFolder:
    """A new folder of this process.

    Args:
        kind: of broker.

    Raises:
        OSError: if it cannot be made.
    """

    def __init__(self, kind: str) -> None:
        prefix = f"alertsim-{kind}-"
        _clear(prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        with contextlib.ExitStack() as undoing:
            undoing.callback(shutil.rmtree, self.path, ignore_errors=True)
            coming = self.path / f".{_OWNER}"
            self._lock = os.open(coming, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
            undoing.callback(os.close, self._lock)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            coming.rename(self.path / _OWNER)  # from here on others may ask whether it is held
            undoing.pop_all()

    def cleanup(self) -> None:
        """Remove it and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _clear(prefix: str) -> None:
    """Remove what owners who were killed left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            state = folder.lstat()
            if stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    lock = os.open(folder / _OWNER, _FLAGS)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    return True
