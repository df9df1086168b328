"""The pages people look at, under ``/ui/``."""

from masthead.web.pages import WebServices, pages

__all__ = ["WebServices", "pages"]
