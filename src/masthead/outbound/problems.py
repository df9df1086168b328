"""What can go wrong on the way to a URL that a user gave: the kinds that callers tell apart.

UrlRefused: the settings do not allow it, nothing was sent to it. UnknownHost: its name does not resolve. RequestFailed: there
was no complete answer. TooLarge, one of these: the request or its answer is larger than the settings allow.
"""

from __future__ import annotations

from masthead.kernel.errors import MastheadError

__all__ = ["OutboundError", "RequestFailed", "TooLarge", "UnknownHost", "UrlRefused"]


class OutboundError(MastheadError):
    """The URL could not be read; check it, the settings that narrow what may be reached, and the other side."""


class UrlRefused(OutboundError):
    """The settings do not allow this URL; the message names the setting that would.

    Attributes:
        setting: That setting's key, empty when none would.
    """

    def __init__(self, message: str = "", *, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class UnknownHost(OutboundError):
    """The host's name does not resolve; check its spelling and the name servers of this machine."""


class RequestFailed(OutboundError):
    """The other side gave no complete answer; check that it runs and can be reached from here.

    Attributes:
        is_timeout: Whether the time for connecting or for reading was over.
        may_have_arrived: Whether the request may have reached the other side.
    """

    def __init__(self, message: str = "", *, is_timeout: bool = False, may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.is_timeout = is_timeout
        self.may_have_arrived = may_have_arrived


class TooLarge(RequestFailed):
    """The request or its answer is larger than webhook.maxRequestBytes or webhook.maxResponseBytes allows."""
