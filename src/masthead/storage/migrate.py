"""Bringing a database to the schema of this release, once, whoever comes first.

Alembic is imported only when there is something to do, which keeps an ordinary start fast.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from masthead.kernel.errors import StorageUnavailable

__all__ = ["HEAD", "migrate"]

#: The newest revision; a test holds it equal to the newest file under migrations/versions.
HEAD = "0006"
#: Two machines that start together wait for each other under this advisory lock (any fixed number).
_LOCK = 6_273_841


def migrate(engine: Engine) -> None:
    """Bring the database behind *engine* to :data:`HEAD`.

    Raises:
        StorageUnavailable: it cannot be reached, or a newer Masthead has been here.
    """
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if _revision(connection) != HEAD:
                _upgrade(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise StorageUnavailable(
            f"The database cannot be opened: {reason}. Check that it runs, its --database URL and its disk."
        ) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise StorageUnavailable(
            f"The database was migrated by another release of Masthead: {error}. Run that release or a newer one."
        ) from error
