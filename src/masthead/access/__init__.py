"""Who may ask: users out of a file, their passwords, sessions and attempts; without users, this machine alone."""

from masthead.access.access import Access, Entered
from masthead.access.hosts import is_loopback
from masthead.access.users import User, UsersInvalid, parse_users

__all__ = ["Access", "Entered", "User", "UsersInvalid", "is_loopback", "parse_users"]
