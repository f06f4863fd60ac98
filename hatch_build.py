"""What hatchling can't know by itself: the README for the index of packages, and wheels that bring compiled kernels.

In the repository, the README links to files by relative paths. On the index's page there are no such files. There the
links lead to `repository`, see pyproject.toml; where that is empty, only their text is left, and no picture.

The sdist and the wheel for any platform hold the kernels' sources alone, and need no compiler. With WHEEL_FOR naming a
platform in the environment, a wheel for it is built, on any machine: `make wheels` builds all of them.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)]+)\)")


def readme(text: str, repository: str) -> str:
    """Return the README with links to a repository on the web, or without its relative ones if there is none."""

    def link(found: re.Match[str]) -> str:
        picture, words, path = found.groups()
        if not repository:
            return "" if picture else words
        return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/HEAD/{path})"

    return RELATIVE.sub(link, text)


class CustomMetadataHook(MetadataHookInterface):
    """Hatchling calls it when it builds a package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the fields that pyproject.toml calls dynamic."""
        repository = self.config["repository"].rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme(text, repository)}
        metadata["urls"] = {}
        if repository:
            metadata["urls"] = {
                "Source": repository,
                "Documentation": f"{repository}/blob/HEAD/docs/index.md",
                "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }


class Platform(NamedTuple):
    """The compiler's name for a platform, the ending of its libraries, and the levels of its processors."""

    target: str
    suffix: str
    levels: tuple[str, ...]


X86 = ("x86-64", "x86-64-v3", "x86-64-v4")
PLATFORMS = {  # by the tag of the wheel
    "manylinux_2_17_x86_64.manylinux2014_x86_64": Platform("x86_64-linux-gnu.2.17", ".so", X86),
    "manylinux_2_17_aarch64.manylinux2014_aarch64": Platform("aarch64-linux-gnu.2.17", ".so", ("aarch64",)),
    "musllinux_1_2_x86_64": Platform("x86_64-linux-musl", ".so", X86),
    "macosx_11_0_arm64": Platform("aarch64-macos.11.0", ".dylib", ("aarch64",)),
    "macosx_11_0_x86_64": Platform("x86_64-macos.11.0", ".dylib", X86[:2]),  # it hides AVX-512 until it is used
    "win_amd64": Platform("x86_64-windows-gnu", ".dll", X86),
}


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling calls it when it builds a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernels for the platform that WHEEL_FOR names, and put them into the wheel."""
        tag = os.environ.get("WHEEL_FOR")
        if not tag or version == "editable":
            return
        if tag not in PLATFORMS:
            raise ValueError(f"WHEEL_FOR is {tag!r}: it must be one of {', '.join(PLATFORMS)}")
        self.folder = tempfile.TemporaryDirectory(prefix="glassnet-kernels-")
        compile_kernels(Path(self.root, "src", "glassnet", "fast"), PLATFORMS[tag], Path(self.folder.name))
        build_data["tag"], build_data["pure_python"] = f"py3-none-{tag}", False
        build_data["force_include"][self.folder.name] = "glassnet/fast/built"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled: it is in the wheel."""
        if hasattr(self, "folder"):
            self.folder.cleanup()


def compile_kernels(room: Path, platform: Platform, folder: Path) -> None:
    """Compile a library for each level and number type, and the probe that chooses among them, by Zig's C compiler."""
    told = runpy.run_path(os.fspath(room / "flags.py"))
    oldest = platform.levels[0]

    def build(source: str, name: str, level: str, *flags: str) -> None:
        known = [f"-march={level.replace('-', '_')}", *told["CLANG_X86"]] if level in X86 else []
        command = [sys.executable, "-m", "ziglang", "cc", "-target", platform.target, *told["FLAGS"], *known, *flags]
        # In its folder, so that no path of this machine gets into it.
        command += [
            "-s",
            "-Wno-pass-failed",
            os.fspath((room / "c" / source).resolve()),
            "-o",
            f"{name}{platform.suffix}",
            "-lm",
        ]
        subprocess.run(command, cwd=folder, check=True)

    build("probe.c", "probe", oldest)
    for level in platform.levels:
        build("program.c", f"{level}-float32", level)
        build("program.c", f"{level}-float64", level, "-DDOUBLE")
    for path in folder.iterdir():
        if path.suffix != platform.suffix:  # what Windows' linker leaves beside a DLL
            path.unlink()
