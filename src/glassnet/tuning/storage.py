"""Where a search is kept besides its folder: in a database, or behind a server, that many machines share."""

from __future__ import annotations

import random
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from glassnet.extras import installed

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    Opened = tuple[BaseStorage, Callable[[], object]]  # and what closes it

DRIVERS = {"sqlite": "", "postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}  # if the URL has none
INSTALLED_BY = {"psycopg": '"psycopg[binary]"', "pymysql": "pymysql", "grpc": "grpcio protobuf"}
FORMS = "postgresql://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE, sqlite:///FILE or grpc://HOST:PORT"
PATIENCE = 10  # seconds until a server that doesn't answer is given up
OPTIONS: dict[str, dict[str, object]] = {
    "sqlite": {"timeout": 60},  # seconds to wait while others write
    "psycopg": {"connect_timeout": PATIENCE, "client_encoding": "utf8"},  # SQLAlchemy fails with the ASCII of LANG=C
    "pymysql": {"connect_timeout": PATIENCE},
}
TRIES = 5  # to make the tables, which other processes may be making at the same moment


@contextmanager
def connected(url: str | None) -> Iterator[BaseStorage | None]:
    """Give the storage of a URL for a block: a database that SQLAlchemy knows, or Optuna's gRPC proxy. None for None.

    Raises ValueError for a URL that is none, or that needs a driver that isn't installed; OSError of one line, without
    the password, if no server answers, at first or in the block.
    """
    if url is None:
        yield None
        return
    kind, separator, place = url.partition("://")
    if not separator or not re.fullmatch(r"[a-z0-9+]+", kind):
        raise ValueError(f"--storage {without_password(url)} is no address of a storage: write {FORMS}")
    try:
        storage, close = _proxy(url, place) if kind == "grpc" else _database(url, kind, place)
        try:
            yield storage
        finally:
            close()
    except Exception as error:
        if not isinstance(error, _faults()):
            raise
        raise ConnectionError(f"--storage {without_password(url)}: {_reason(error, url)}") from None


def without_password(url: str) -> str:
    """Return a URL as it may be shown: without user, password and options."""
    kind, separator, place = url.rpartition("://")
    return f"{kind.partition('://')[0]}{separator}{place.rpartition('@')[2].partition('?')[0]}"


def _proxy(url: str, place: str) -> Opened:
    found = re.fullmatch(r"(?P<host>\[[^]]+\]|[^:/@?]+):(?P<port>\d{1,5})/?", place)
    if found is None:
        raise ValueError(f"--storage {without_password(url)} names no server: write grpc://HOST:PORT")
    if not installed("grpc") or not installed("google.protobuf"):
        raise _missing(url, "grpc")
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import GrpcStorageProxy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        proxy = GrpcStorageProxy(host=found["host"], port=int(found["port"]))
    proxy.wait_server_ready(PATIENCE)
    return proxy, proxy.close


def _database(url: str, kind: str, place: str) -> Opened:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    base, _, driver = kind.partition("+")
    driver = driver or DRIVERS.get(base, "")
    if base == "sqlite" and not place.partition("?")[0].strip("/"):
        raise ValueError(f"--storage {without_password(url)} names no file: write sqlite:///FILE")
    options = OPTIONS.get(driver or base, {})
    address = f"{base}+{driver}://{place}" if driver else url
    for left in reversed(range(TRIES)):
        try:
            storage = RDBStorage(address, engine_kwargs={"connect_args": options, "pool_pre_ping": True})
            return storage, storage.engine.dispose
        except ImportError:
            raise _missing(url, driver or base) from None
        except RuntimeError as error:  # tables of another version of Optuna
            if isinstance(error, _faults()):
                raise
            raise ValueError(f"--storage {without_password(url)}: {error}") from None
        except SQLAlchemyError as error:
            if left == 0 or not re.search("exist|duplicate|unique", str(error), re.IGNORECASE):
                raise
            time.sleep(random.random())
    raise AssertionError


def _missing(url: str, driver: str) -> ValueError:
    install = INSTALLED_BY.get(driver, driver)
    return ValueError(f"--storage {without_password(url)} needs {driver}, which isn't installed: pip install {install}")


def _faults() -> tuple[type[Exception], ...]:
    """The errors of databases and servers, of the libraries that are loaded."""
    from optuna.exceptions import StorageInternalError

    others = [("sqlalchemy.exc", "SQLAlchemyError"), ("grpc", "RpcError")]
    found = [getattr(sys.modules[module], name) for module, name in others if module in sys.modules]
    return (StorageInternalError, ConnectionError, *found)


def _reason(error: Exception, url: str) -> str:
    """What a driver or a server says, in one line. Every part of user, password and options is left out."""
    from optuna.exceptions import StorageInternalError

    cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    cause = getattr(cause, "orig", None) or cause
    details = getattr(cause, "details", None)
    text = " ".join((details() if callable(details) else str(cause)).split()) or type(cause).__name__
    place = url.partition("://")[2]
    secrets = re.split(r"[:@&=]", place.rpartition("@")[0]) + re.split("[&=]", place.partition("?")[2])
    for secret in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, "***")
    return text
