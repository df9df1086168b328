"""The pages people look at, under ``/ui/``."""

from masthead.web.domain import WebServices
from masthead.web.pages import pages

__all__ = ["WebServices", "pages"]
