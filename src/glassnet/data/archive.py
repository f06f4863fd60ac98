"""A published file: where it may be had, and how to know that it is the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Archive:
    """A packed file with several mirrors, told by the SHA-256 of its unpacked content.

    path: its place below a data folder, such as "mnist/train-images-idx3-ubyte.gz". urls: the mirrors, best first.
    sha256: 64 hexadecimal digits. unpack: from the bytes of the file to the bytes that the checksum is of.
    Mirrors pack the same content differently, so the packed bytes say nothing.
    """

    path: str
    urls: tuple[str, ...]
    sha256: str
    unpack: Callable[[bytes], bytes | bytearray]

    def content(self, packed: bytes) -> bytes | bytearray:
        """Unpack and verify. Raises ValueError with a few words on what is wrong."""
        import hashlib
        import tarfile
        import zlib

        try:
            content = self.unpack(packed)
        except (OSError, EOFError, ValueError, KeyError, zlib.error, tarfile.TarError) as error:
            raise ValueError("truncated, or another kind of file") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise ValueError(f"wrong content: SHA-256 {digest[:12]}..., not {self.sha256[:12]}...")
        return content

    def within(self, folder: Path) -> Path | None:
        """Where the file lies below `folder`, packed or, for a single file in gzip, unpacked; else None."""
        for path in (self.path, self.path.removesuffix(".gz")):
            if (folder / path).is_file():
                return folder / path
        return None
