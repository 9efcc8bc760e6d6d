"""qr_reader.py: what a camera makes of a QR code, of an image or of what a terminal shows."""

import re
import subprocess
import zlib


def decode(png):
    """What a phone would read."""
    return subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", png], capture_output=True, text=True,
                          check=True, timeout=60).stdout.strip()


def picture(terminal_lines, path, scale=8):
    """A PNG of what a terminal shows: half blocks, black on white; its colours must say so."""
    rows = []
    for line in terminal_lines:
        assert line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m"), repr(line)
        cells = re.sub(r"\x1b\[[0-9;]*m", "", line)
        assert set(cells) <= set(" \u2580\u2584\u2588"), repr(cells)
        rows.append([cell in "\u2580\u2588" for cell in cells])
        rows.append([cell in "\u2584\u2588" for cell in cells])
    raw = b""
    for row in rows:
        pixels = b"".join((b"\x00" if dark else b"\xff") * scale for dark in row)
        raw += (b"\x00" + pixels) * scale

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    head = (len(rows[0]) * scale).to_bytes(4, "big") + (len(rows) * scale).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    return path
