"""Which PagerDuty service pages for which application, and who would be woken."""

from masthead.ownership.ownership import Owner, Ownership

__all__ = ["Owner", "Ownership"]
