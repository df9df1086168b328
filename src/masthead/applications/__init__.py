"""Front50's application: attributes, rules, history; who to page stands in it as ``pdApiKey``."""

from __future__ import annotations

from masthead.applications.applications import SPINNAKER, Applications, Deletion, DeletionSubscriber
from masthead.applications.document import application_id, pd_api_key
from masthead.applications.names import NameRule, check_name

__all__ = [
    "SPINNAKER",
    "Applications",
    "Deletion",
    "DeletionSubscriber",
    "NameRule",
    "application_id",
    "check_name",
    "pd_api_key",
]
