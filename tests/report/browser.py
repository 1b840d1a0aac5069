"""A headless Chromium for tests that must see a page as a person does."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib

import pytest

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=4000",
)


def browser():
    """The path of Chromium; skips the test, loudly, where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("NO BROWSER: the report was not opened; install the Debian package 'chromium'")
    return found


def rendered(page, folder, *, width=1280, height=1600):
    """The page's document after its scripts ran, and a screenshot as PNG bytes.

    Args:
        page: path of an HTML file.
        folder: an empty folder for the browser's profile and the picture.
        width: of the window, pixels (Chromium takes no less than 500).
        height: of the window, pixels.
    """
    picture = folder / "page.png"
    command = [
        browser(),
        *_FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}",
        "--dump-dom",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    return done.stdout.decode("utf-8"), picture.read_bytes()


def distinct_rows(png):
    """How many different pixel rows a PNG has: 1 for a blank page, hundreds for one with text and charts."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    packed, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += length + 12
    pixels = zlib.decompress(packed)
    stride = 1 + width * {2: 3, 6: 4}[colour]
    return len({pixels[row * stride : (row + 1) * stride] for row in range(height)})
