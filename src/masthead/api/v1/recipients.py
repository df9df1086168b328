"""From the names in a body to integration keys: what leads to none is said with its place in the body."""

from __future__ import annotations

from masthead.api.ask import Ask
from masthead.api.v1.page_body import Complaints, Named, Recipients, shown
from masthead.applications import SPINNAKER
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.kernel.secret import KEY_LIKE, Secret
from masthead.paging.hiding import holds_key

__all__ = ["application_of", "keys_of", "refuse_key_as_dedup_key"]


async def keys_of(ask: Ask, recipients: Recipients, complaints: Complaints) -> tuple[Secret, ...]:
    """Give whom to tell: the given keys first, then those of the services and of the applications, in their order.

    Args:
        ask: The request.
        recipients: As its body names them.
        complaints: Is told what leads to no key.
    """
    keys = list(recipients.keys)
    for service in recipients.services:
        try:
            keys.append(ask.services.ownership.usable_key(service.text)[1])
        except (NotFound, InvalidRequest) as error:
            complaints.add(service.pointer, error.message)
    keys += await _keys_of_applications(ask, recipients.applications, complaints)
    return tuple(dict.fromkeys(keys))


def application_of(recipients: Recipients) -> str:
    """Give the application in whose name it is asked: the one that is named, else the one that stands for none."""
    names = {application.text.lower() for application in recipients.applications}
    return names.pop() if len(names) == 1 else SPINNAKER


def refuse_key_as_dedup_key(
    ask: Ask, dedup_key: str | None, keys: tuple[Secret, ...], complaints: Complaints
) -> None:
    """Complain of a dedup key that is or holds an integration key: it is shown to everybody who may look at pages."""
    if not dedup_key:
        return
    words = [Secret(word) for word in (dedup_key.strip(), *KEY_LIKE.findall(dedup_key))]
    is_own = words[0] in keys or holds_key(keys, [dedup_key])
    if is_own or any(ask.services.catalog.service_of_key(word) is not None for word in words):
        complaints.add(
            "/dedupKey",
            "This dedupKey is or holds an integration key; it would be shown wherever the page is.",
        )


async def _keys_of_applications(ask: Ask, named: tuple[Named, ...], complaints: Complaints) -> list[Secret]:
    applications = ask.services.applications
    documents = await applications.find_many([one.text for one in named]) if named else {}
    keys = []
    for one in named:
        name, document = shown(one.text).strip("'\""), documents.get(one.text)
        if document is None:
            complaints.add(one.pointer, f"There is no application called {name}.")
        elif key := applications.pd_api_key(document):
            keys.append(key)
        else:
            complaints.add(
                one.pointer,
                f"{name} does not have a pager duty service key: choose its PagerDuty service first.",
            )
    return keys
