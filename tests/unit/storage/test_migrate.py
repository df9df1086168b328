"""Databases that cannot be opened are refused in words."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import ConfigurationInvalid, StorageUnavailable
from masthead.storage.database import Database
from masthead.storage.engine import database_url as read_url


async def test_a_database_of_a_newer_release_is_refused_in_words(database, database_url):
    """An old release does not touch what a newer one migrated."""
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StorageUnavailable, match="another release"):
        await Database.open(database_url, clock=SystemClock())


async def test_a_database_that_is_not_there_is_refused_in_words():
    """No traceback for a wrong host."""
    with pytest.raises(StorageUnavailable, match="cannot be opened"):
        await Database.open("postgresql://nobody:secret@127.0.0.1:1/none", clock=SystemClock())


async def test_a_folder_that_does_not_exist_is_refused_and_not_made(tmp_path):
    """A mistyped path must not begin with an empty database."""
    with pytest.raises(ConfigurationInvalid, match="absent of the database does not exist"):
        await Database.open(str(tmp_path / "absent" / "masthead.db"), clock=SystemClock())
    with pytest.raises(ConfigurationInvalid, match="is a folder; name a file"):
        await Database.open(str(tmp_path), clock=SystemClock())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["mysql://x/y", "sqlite://", "://", "oracle://a"])
def test_urls_of_other_databases_are_refused_without_their_password(text):
    """The message shows the accepted forms."""
    with pytest.raises(ConfigurationInvalid, match="postgresql://"):
        read_url(text)
