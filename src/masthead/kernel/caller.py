"""Who asks: every function that acts takes a caller, so that login and permissions only add."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ANONYMOUS", "SYSTEM", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The user in whose name something is done, and where the request came from.

    Source: Spinnaker compatibility facts, section 0.3 (X-SPINNAKER-* headers).
    """

    #: Name or e-mail; "anonymous" when nobody said.
    user: str = "anonymous"
    #: "deck" when Deck says so (X-RateLimit-App), "cli" for our command line, else "api".
    origin: str = "api"
    #: The client's address as the server saw it; empty inside the process.
    address: str = ""
    #: X-SPINNAKER-REQUEST-ID, given or made.
    request_id: str = ""
    #: X-SPINNAKER-ACCOUNTS.
    accounts: tuple[str, ...] = field(default=())
    #: Of a user who logged in, as the file of users says.
    roles: tuple[str, ...] = field(default=())

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody in particular asks."""
        return self.user in ("", "anonymous", "[anonymous]")


ANONYMOUS = Caller()
#: Masthead itself, for what no user asked for.
SYSTEM = Caller(user="spinnaker", origin="masthead")
