"""The heart: a page is stored, then sent to every key at once, retried until it is decided, and remembered."""

from masthead.paging.model import Delivery, DeliveryState, Draft, Link, Page
from masthead.paging.pager import Paging

__all__ = ["Delivery", "DeliveryState", "Draft", "Link", "Page", "Paging"]
