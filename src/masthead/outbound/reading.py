"""Reading an answer to its end, but never more of it than is allowed, compressed or not."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Iterator

from masthead.outbound.problems import RequestFailed, TooLarge

__all__ = ["ACCEPTED", "read_body"]

#: The encodings that are asked for and understood.
ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_CHUNK = 65_536


async def read_body(
    chunks: AsyncIterable[bytes], *, encoding: str, limit: int, header_bytes: int, name: str
) -> bytes:
    """Give the body that *chunks* make up, decompressed.

    Args:
        chunks: As they come from the other side.
        encoding: Its Content-Encoding; empty for none.
        limit: Most bytes of headers and body, the body as sent and decompressed alike.
        header_bytes: How many of them the headers have taken.
        name: What the answer is called in messages.

    Raises:
        TooLarge: it is longer; at most *limit* bytes and one chunk were held.
        RequestFailed: it is encoded in a way that was not asked for, or broken.
    """
    unpacker = _unpacker(encoding, name)
    body = bytearray()
    received = 0
    _require(header_bytes, limit, name)
    async for chunk in chunks:
        received += len(chunk)
        _require(header_bytes + received, limit, name)
        for part in unpacker.unpack(chunk):
            body += part
            _require(header_bytes + len(body), limit, name)
    if received and not unpacker.is_complete:
        raise _broken(name)
    return bytes(body)


def _require(size: int, limit: int, name: str) -> None:
    if size > limit:
        raise TooLarge(
            f"rejecting response from {name} with more than {limit} byte(s) of headers and body,"
            f" maxResponseBytes: {limit}"
        )


class _Plain:
    is_complete = True

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Packed:
    """Unpacks a little at a time, so that a bomb is noticed before it fills the memory."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def is_complete(self) -> bool:
        return self._inflate.eof

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk and not self._inflate.eof:
                yield self._inflate.decompress(chunk, _CHUNK)
                chunk = self._inflate.unconsumed_tail
        except zlib.error as error:
            raise _broken(self._name) from error


def _broken(name: str) -> RequestFailed:
    return RequestFailed(f"the answer of {name} is not compressed as it says")


def _unpacker(encoding: str, name: str) -> _Plain | _Packed:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Packed(name)
    raise RequestFailed(f"the answer of {name} is encoded in a way that was not asked for")
