"""Memory given back to the operating system."""

from __future__ import annotations

import ctypes
from contextlib import suppress

import pyarrow as pa

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt, as glibc numbers them
_LARGE_BYTES = 4 << 20
_KEPT_BYTES = 16 << 20


def hold_no_large_blocks() -> None:
    """From now on large blocks that are freed go back to the system at once.

    Left alone, the C library comes to serve blocks of up to 32 MB from its heap. There one small block behind a large
    one keeps it from being given back: the peak of a long run was twice what it held at any time. Where the C library
    cannot be told so nothing happens.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_memory() -> None:
    """Return what the allocators keep for later: after a long file that is as much as all the rest.

    Where the C library has no such call nothing happens.
    """
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
