"""Names for keys that are not the keys: hashes with the installation's own secret.

A plain hash of a 32-character key would still let somebody who has a list of keys find out which one a dedup
key belongs to; a keyed one does not. The secret is made once and lives in the database, so that all machines
and all later starts give the same dedup key for the same delivery.
"""

from __future__ import annotations

import hashlib

from masthead.kernel.secret import Secret
from masthead.storage.database import Database
from masthead.storage.installation import installation_secret

__all__ = ["KeyHasher"]

_NAME = "dedup-secret"
_DIGEST_BYTES = 16


class KeyHasher:
    """Gives a routing key its hash, and a delivery its dedup key."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret.reveal().encode()

    @classmethod
    async def of(cls, database: Database) -> KeyHasher:
        """Read the installation's secret; the very first start makes it."""
        return cls(await installation_secret(database, _NAME))

    def key_hash(self, key: Secret) -> str:
        """Give 32 hexadecimal digits that stand for *key* in logs and look-ups."""
        return self._digest("key", key.reveal())

    def dedup_key(self, identity: str, key: Secret) -> str:
        """Give the dedup key of the page *identity* for *key*: the same for ever, 41 characters."""
        return f"masthead-{self._digest('delivery', identity, key.reveal())}"

    def _digest(self, *parts: str) -> str:
        text = "\x00".join(parts).encode()
        return hashlib.blake2b(text, key=self._secret, digest_size=_DIGEST_BYTES).hexdigest()
