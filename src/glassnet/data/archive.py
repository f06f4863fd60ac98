"""A published file: its mirrors, and the checksum of its content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glassnet.limits import read_limited

PIECE = 1 << 16  # packed bytes


@dataclass(frozen=True)
class Archive:
    """A packed file with several mirrors, recognised by the SHA-256 of its unpacked content.

    path: its place below a data folder, such as "mnist/train-images-idx3-ubyte.gz". urls: the mirrors, best first.
    sha256, size: 64 hexadecimal digits and the number of bytes, both of the unpacked content. unpack: turns the bytes
    of the file into this content. Mirrors pack the same content differently, so the packed bytes say nothing.
    """

    path: str
    urls: tuple[str, ...]
    sha256: str
    size: int
    unpack: Callable[[bytes], bytes | bytearray]

    def content(self, path: Path) -> bytes | bytearray:
        """Read, unpack and verify. Raises ValueError with a few words on the fault, OSError if it can't be read."""
        import hashlib
        import tarfile
        import zlib

        packed = read_limited(path, 2 * self.size)  # no way of packing makes it larger than that
        try:
            content = self.unpack(packed)
        except (OSError, EOFError, ValueError, KeyError, RecursionError, zlib.error, tarfile.TarError) as error:
            raise ValueError("truncated, or another kind of file") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise ValueError(f"wrong content: SHA-256 {digest[:12]}..., not {self.sha256[:12]}...")
        return content

    def within(self, folder: Path) -> Path | None:
        """The place of the file below `folder`, packed or, for a single file in gzip, unpacked; else None."""
        for path in (self.path, self.path.removesuffix(".gz")):
            if (folder / path).is_file():
                return folder / path
        return None


def gunzip(packed: bytes, limit: int) -> bytes | bytearray:
    """Decompress gzip, into memory that can be written. Other content counts as unpacked already.

    Piece by piece is twice as fast as all at once, which would move the content several times.
    Raises ValueError if the content has more than `limit` bytes, before it is made, and EOFError if it is truncated.
    """
    import zlib

    if not packed.startswith(b"\x1f\x8b"):
        return packed
    length = int.from_bytes(packed[-4:], "little")  # by RFC 1952
    if length > limit:
        raise ValueError(f"it says that it holds {length:,} bytes, more than {limit:,}")
    content = bytearray(length)
    gunzipper, end = zlib.decompressobj(wbits=31), 0
    for start in range(0, len(packed), PIECE):
        piece = gunzipper.decompress(packed[start : start + PIECE])
        if end + len(piece) > length:
            raise EOFError("truncated, or it holds more than it says")
        content[end : end + len(piece)] = piece
        end += len(piece)
    if not gunzipper.eof or end != length:
        raise EOFError("truncated")
    return content
