"""A database for the tests of clusters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.database import postgres_programs, postgresql_started


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    pytest.importorskip("psycopg")
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL: apt-get install postgresql")
    with postgresql_started(programs) as url:
        yield url
