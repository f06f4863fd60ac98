"""The kernels for a page: compiled to WebAssembly, for one thread, from the sources of fast/c and wasm/.

`python -m glassnet.explore.engine` makes kernels.wasm again. It needs ziglang. The same sources give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from glassnet.fast.flags import FLAGS
from glassnet.files import replacing

FILE = Path(__file__).parent / "kernels.wasm"
SOURCES = (Path(__file__).parents[1] / "fast" / "c", Path(__file__).parent / "wasm")
EXPORTS = (
    "train_some",
    "answer",
    "score",
    "order",
    "key",
    "start_drawing",
    "draw",
    "pass",
    "softmax",
    "unstandardize",
    "logistic",
    "normal_share",
    "prepare",
    "scratch_size",
    "layout",
    "kinds",
    "sources",
)
NATIVE = ("-shared", "-fPIC", "-pthread")  # flags that are for a library of threads
COMMAND = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    *(flag for flag in FLAGS if flag not in NATIVE),
    "-msimd128",
    "-s",
    "-Wno-pass-failed",
    *(f"-Wl,--export={name}" for name in (*EXPORTS, "__heap_base")),
]


def digest() -> str:
    """Return a checksum of all that the file is made from. It is in the file, too."""
    found = hashlib.sha256(repr(COMMAND).encode())
    for folder in SOURCES:
        for path in sorted(folder.glob("*.[ch]")):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def build(out: Path) -> None:
    """Compile the kernels. Raises CalledProcessError if the compiler fails."""
    with tempfile.TemporaryDirectory(prefix="glassnet-wasm-") as folder:  # so that no path gets into the file
        compiler = [sys.executable, "-m", "ziglang", "cc", *COMMAND, f'-DSOURCES="{digest()}"', f"-I{SOURCES[0]}"]
        subprocess.run([*compiler, os.fspath(SOURCES[1] / "page.c"), "-o", "kernels.wasm"], cwd=folder, check=True)
        with replacing(out) as part:
            part.write_bytes(Path(folder, "kernels.wasm").read_bytes())


if __name__ == "__main__":
    build(FILE)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")
