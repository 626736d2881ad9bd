"""Files read with one clear error, and written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterable

from dagtool.errors import DagtoolError

__all__ = ["read_bytes", "write_text", "write_whole"]


def read_bytes(path: str) -> bytes:
    """All bytes of a file, or of the standard input for ``-``. Raises DagtoolError."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            if stat.S_ISBLK(mode := os.fstat(file.fileno()).st_mode) or (stat.S_ISCHR(mode) and not file.isatty()):
                raise DagtoolError(f"cannot read {path}: it is a device")
            return file.read()
    except OSError as error:
        raise DagtoolError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:  # a path with a NUL in it
        raise DagtoolError(f"cannot read {path!r}: {error}") from None
    except MemoryError:
        raise DagtoolError(f"cannot read {path}: it is larger than the memory") from None


def write_text(path: str, pieces: Iterable[str]) -> None:
    """Write text to a file, whole or not at all, or to standard output for ``-``. Raises DagtoolError."""
    if path == "-":
        for piece in pieces:  # as bytes: a file is UTF-8 whatever the terminal is
            sys.stdout.buffer.write(_encoded(piece))
        sys.stdout.buffer.flush()
        return
    write_whole(path, map(_encoded, pieces))


def _encoded(piece: str) -> bytes:
    """As UTF-8; of a file name that is no text the odd bytes are spelt."""
    return piece.encode("utf-8", "backslashreplace")


def write_whole(path: str, pieces: Iterable[bytes], *, over: bytes | None = None) -> None:
    """Write a file under a temporary name beside it and rename it at the end.

    Whatever goes wrong, a file that was there before still is, unchanged. With ``over`` the file is replaced only if
    it still holds these bytes: what somebody else wrote meanwhile stays. Raises DagtoolError.
    """
    # A link is followed, so that it still is one afterwards; a device cannot be replaced, only written to.
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise DagtoolError(f"{path}: is a folder", "name a file in it")
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "wb") as device:
                device.writelines(pieces)
            return
        if os.path.exists(target) and not os.access(target, os.W_OK):
            raise DagtoolError(f"{path}: cannot be written: it is read-only")
        _replace(path, target, pieces, over)
    except OSError as error:
        raise DagtoolError(f"{path}: cannot be written: {error.strerror or error}", _hint(error, target)) from None


def _replace(path: str, target: str, pieces: Iterable[bytes], over: bytes | None) -> None:
    folder, name = os.path.split(target)
    _remove_litter(folder, name)
    # The name is chosen first: whenever an interrupt comes, it is known what to remove.
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.tmp")
    mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else None
    try:
        with open(temporary, "xb", 1 << 20, opener=lambda at, flags: os.open(at, flags, mode or 0o666)) as stream:
            _lock(stream.fileno())
            stream.writelines(pieces)
        if mode is not None:
            os.chmod(temporary, mode)
        if over is not None and not _holds(target, over):
            raise DagtoolError(f"{path}: was changed meanwhile: nothing is written", "run the command again")
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _holds(path: str, data: bytes) -> bool:
    """Whether a file is there and has these bytes."""
    try:
        with open(path, "rb") as file:
            return file.read() == data
    except FileNotFoundError:
        return False


_MINUTE_S = 60


def _remove_litter(folder: str, name: str) -> None:
    """Remove the temporary files that writers of the same file left when they were killed.

    A writer locks its file while it writes, and a lock goes with its process: what is older than a minute and not
    locked is nobody's. Where files cannot be locked, nothing is removed.
    """
    ours = re.compile(rf"{re.escape(f'.{name[:100]}.')}[0-9a-f]{{16}}\.tmp")
    with contextlib.suppress(OSError):
        for one in os.listdir(folder or "."):
            if ours.fullmatch(one):
                _remove_unlocked(os.path.join(folder, one))


def _remove_unlocked(path: str) -> None:
    with contextlib.suppress(OSError):
        found = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if time.time() - os.fstat(found).st_mtime > _MINUTE_S and _lock(found):
                os.unlink(path)
        finally:
            os.close(found)


def _lock(file: int) -> bool:
    """Lock an open file unless somebody else does; whether that is done."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _hint(error: OSError, target: str) -> str:
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        return f"the folder {os.path.basename(folder) or folder!r} does not exist; make it or name another place"
    return "name a file in another place"
