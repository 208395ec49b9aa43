"""Files that somebody may have put into the store by hand: read if they are plain, else refused.

Rule of the module: a link is not followed, a pipe or a device is not waited for, a file larger than
any of ours is not read.
"""

import errno
import os
import stat
from pathlib import Path


def is_plain(path: Path) -> bool:
    """Whether it is a file, and no link, pipe or device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether it is a directory, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def read_plain(path: Path, most_bytes: int) -> bytes:
    """What is in a plain file.

    Args:
        path: of the file.
        most_bytes: that it may have.

    Raises:
        FileNotFoundError: if there is none.
        OSError: if it is no plain file, larger than that, or cannot be read.
    """
    # Not to wait is for what becomes a pipe after it was looked at.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor), most_bytes)
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        return file.read(most_bytes)


def _check(state: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is not a plain file")
    if state.st_size > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes // 2**20} MiB")
