"""Secrets of the whole installation: made at the very first start, and the same on all machines from then on."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from masthead.kernel.secret import Secret
from masthead.storage.database import Database
from masthead.storage.schema import installation
from masthead.storage.statements import insert_if_absent

__all__ = ["installation_secret"]

#: Bytes of a secret; written in hexadecimal they are the 64 that BLAKE2b takes as a key at most.
_LENGTH = 32


async def installation_secret(database: Database, name: str) -> Secret:
    """Give the secret called *name*: 64 hexadecimal digits; whoever asks first makes it.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    made = secrets.token_hex(_LENGTH)

    def work(connection: Connection) -> str:
        insert_if_absent(connection, installation, {"name": name, "value": made}, key=["name"])
        return str(
            connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar_one()
        )

    return Secret(await database.write(work))
