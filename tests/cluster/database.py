"""A PostgreSQL in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def postgres_programs() -> Path | None:
    """The folder with initdb and pg_ctl, as Debian's package installs them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


@contextmanager
def postgresql_started(programs: Path) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL, with a password."""
    folder = Path(tempfile.mkdtemp(prefix="glassnet-postgresql-"))
    (folder / "password").write_text("se:cret/word\n")
    who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
    if who:
        shutil.chown(folder, "nobody", "nogroup")
        shutil.chown(folder / "password", "nobody", "nogroup")
    port, data = free_port(), folder / "data"

    def run(program: str, *words: object) -> None:
        command = [*who, str(programs / program), "-D", str(data), *map(str, words)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stdout + done.stderr

    run("initdb", "--username=me", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--no-sync")
    run("pg_ctl", "start", "--wait", "--log", folder / "log", "-o", f"-p {port} -h 127.0.0.1 -k {folder}")
    try:
        yield f"postgresql://me:se%3Acret%2Fword@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(folder)
