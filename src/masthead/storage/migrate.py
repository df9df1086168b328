"""Bringing a database to the schema of this release, once, whoever comes first.

An empty database gets the whole schema at once; a conformance test holds that it is the one that the revisions lead to.
Alembic is imported only for a database of an earlier release, which keeps every other start fast.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, text
from sqlalchemy.exc import DBAPIError

from masthead.kernel.errors import StorageUnavailable
from masthead.storage.schema import metadata

__all__ = ["HEAD", "migrate", "upgrade"]

#: The newest revision; a test holds it equal to the newest file under migrations/versions.
HEAD = "0009"
#: Two machines that start together wait for each other under this advisory lock (any fixed number).
_LOCK = 6_273_841
#: Where Alembic keeps the revision, as it makes it itself.
_alembic_version = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "alembic_version_pkc"}),
    Column("version_num", String(32), primary_key=True),
)


def migrate(engine: Engine) -> None:
    """Bring the database behind *engine* to :data:`HEAD`.

    Raises:
        StorageUnavailable: it cannot be reached, or a newer Masthead has been here.
    """
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            revision = _revision(connection)
            if revision is None:
                _create(connection)
            elif revision != HEAD:
                upgrade(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise StorageUnavailable(
            f"The database cannot be opened: {reason}. Check that it runs, its --database URL and its disk."
        ) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    _alembic_version.create(connection, checkfirst=False)
    connection.execute(insert(_alembic_version).values(version_num=HEAD))


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Bring a database revision by revision to *revision*.

    Raises:
        StorageUnavailable: it is of a newer Masthead.
    """
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StorageUnavailable(
            f"The database was migrated by another release of Masthead: {error}. Run that release or a newer one."
        ) from error
