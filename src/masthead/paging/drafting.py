"""From what was asked to what is stored: checked, given ids, hashes and dedup keys, and written as text once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.ids import Ids
from masthead.kernel.secret import Secret
from masthead.pagerduty import Protocol
from masthead.paging.hashing import KeyHasher
from masthead.paging.hiding import holds_key, without_keys, without_keys_in
from masthead.paging.intake import Entry
from masthead.paging.model import Delivery, DeliveryState, Door, Draft, Kind, Page
from masthead.paging.rows import text_of

__all__ = ["Drafting", "signed"]


class Drafting:
    """Makes entries of drafts."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        *,
        catalog: Catalog,
        hasher: KeyHasher,
        deadline: timedelta,
        unknown_key_protocol: Protocol,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._catalog = catalog
        self._hasher = hasher
        self._deadline = deadline
        self._unknown_key_protocol = unknown_key_protocol

    def entry(self, draft: Draft, caller: Caller, *, may_go: Callable[[Delivery, int], str | None]) -> Entry:
        """Make the entry of *draft*.

        Args:
            draft: What is asked.
            caller: In whose name.
            may_go: Gives, for a delivery and how long its page is, the machine that tries it at once, or None for one
                that waits.

        Raises:
            InvalidRequest: no key, no message, or something that cannot be written.
        """
        if not draft.keys:
            raise InvalidRequest("There is nobody to page: no integration key and no application was given.")
        _check_message(draft.message)
        details = _written(draft.details, "/details")
        links = _written(draft.links, "/links")
        said = (draft.message, details, links, caller.user, draft.application)
        rest = (draft.client or "", draft.client_url or "", draft.execution_id or "")
        if holds_key(draft.keys, (*said, *rest)):
            draft, caller = without_keys(draft, caller)
            details, links = _written(draft.details, "/details"), _written(draft.links, "/links")
        page = self._page(draft, caller, says=_hash(draft.application, draft.message, details, links))
        length = len(draft.message) + len(details) + len(links)
        return Entry(
            page,
            details,
            links,
            identity=draft.identity,
            fingerprint=draft.fingerprint,
            recognise_since_ms=to_ms(page.created_at - draft.recognise) if draft.recognise else None,
            machines=tuple(may_go(delivery, length) for delivery in page.deliveries),
        )

    def recognisable(self, draft: Draft) -> str:
        """Give the hash by which the content of *draft* is recognised."""
        keys = sorted({self._hasher.key_hash(key) for key in draft.keys})
        details = _written(draft.details, "/details")
        said = (draft.client or "", draft.application, draft.severity, draft.message, details)
        return _hash(draft.door, *said, *keys)

    def follow_up(
        self, page: Page, kind: Kind, caller: Caller, *, may_go: Callable[[Delivery], str | None]
    ) -> Entry:
        """Make the entry that acknowledges or resolves what *page* led to.

        *may_go* is that of :meth:`entry`, and asked for what PagerDuty took only: the rest goes out after the page itself.
        """
        now, follow_up_id = self._clock.now(), self._ids.new()
        targets = {
            (one.key_hash, one.dedup_key): one
            for one in page.in_state(DeliveryState.ACCEPTED, DeliveryState.PENDING)
        }
        deliveries = tuple(
            self._delivery_of(
                one.key,
                f"{follow_up_id}-{place}",
                follow_up_id,
                now,
                dedup_key=one.dedup_key,
                action=kind,
                says="",
                service=(one.service_id, one.label, one.account, one.protocol),
            )
            for place, one in enumerate(targets.values(), start=1)
        )
        asked = self._related(page, kind, caller, follow_up_id, now, deliveries)
        is_told = [one.state is DeliveryState.ACCEPTED for one in targets.values()]
        return Entry(
            asked,
            "{}",
            "[]",
            identity=None,
            fingerprint=None,
            recognise_since_ms=None,
            machines=tuple(
                may_go(one) if told else None for one, told in zip(deliveries, is_told, strict=True)
            ),
        )

    def resend(self, page: Page, caller: Caller) -> Entry:
        """Make the entry that records that somebody had *page* sent again."""
        asked = self._related(page, Kind.RESEND, caller, self._ids.new(), self._clock.now(), ())
        return Entry(asked, "{}", "[]", identity=None, fingerprint=None, recognise_since_ms=None, machines=())

    def addressed(self, key: Secret) -> dict[str, Any]:
        """Give the columns of a delivery that say where it goes, as far as the catalog knows *key* by now."""
        service_id, label, account, protocol = self._service(key)
        if service_id is None:
            return {"protocol": protocol}
        return {"service_id": service_id, "label": label, "account": account, "protocol": protocol}

    def deadline(self) -> datetime:
        """Give when something that is asked now is given up."""
        return self._clock.now() + self._deadline

    def _page(self, draft: Draft, caller: Caller, *, says: str) -> Page:
        page_id, now = self._ids.new(), self._clock.now()
        identity = draft.dedup_identity or draft.identity or page_id
        return Page(
            id=page_id,
            message=draft.message,
            details=draft.details,
            links=draft.links,
            severity=draft.severity,
            user=caller.user,
            client=draft.client or f"Spinnaker ({caller.user})",
            client_url=draft.client_url,
            door=draft.door,
            # As it is looked for: Spinnaker's names are the same in any case.
            application=draft.application.lower(),
            execution_id=draft.execution_id,
            stage_id=draft.stage_id,
            created_at=now,
            deliveries=tuple(
                self._delivery_of(
                    key,
                    f"{page_id}-{place}",
                    page_id,
                    now,
                    dedup_key=draft.dedup_key or self._hasher.dedup_key(identity, key),
                    action=draft.kind,
                    # One that the sender named is a matter of its own, whatever it says.
                    says="" if draft.dedup_key else says,
                    service=self._service(key),
                    is_uncertain=key in draft.doubtful,
                )
                for place, key in enumerate(dict.fromkeys(draft.keys), start=1)
            ),
            kind=draft.kind,
            address=caller.address,
            happened_at=draft.happened_at,
        )

    def _related(
        self,
        page: Page,
        kind: Kind,
        caller: Caller,
        new_id: str,
        now: datetime,
        deliveries: tuple[Delivery, ...],
    ) -> Page:
        return Page(
            id=new_id,
            message=page.message,
            details={},
            links=(),
            severity=page.severity,
            user=without_keys_in(caller.user, [one.key for one in page.deliveries]),
            client="",
            client_url=None,
            door=Door.V1,
            application=page.application,
            execution_id=None,
            stage_id=None,
            created_at=now,
            deliveries=deliveries,
            kind=kind,
            parent_id=page.id,
            address=caller.address,
        )

    def _service(self, key: Secret) -> tuple[str | None, str, str, Protocol]:
        known = self._catalog.service_of_key(key)
        if known is None:
            return None, key.label, self._catalog.default_account, self._unknown_key_protocol
        service, integration = known
        return service.id, service.name, service.account, integration.protocol or self._unknown_key_protocol

    def _delivery_of(  # noqa: PLR0913 - a row's columns
        self,
        key: Secret,
        delivery_id: str,
        page_id: str,
        now: datetime,
        *,
        dedup_key: str,
        action: Kind,
        says: str,
        service: tuple[str | None, str, str, Protocol],
        is_uncertain: bool = False,
    ) -> Delivery:
        service_id, label, account, protocol = service
        return Delivery(
            id=delivery_id,
            page_id=page_id,
            key=key,
            key_hash=self._hasher.key_hash(key),
            dedup_key=dedup_key,
            protocol=protocol,
            service_id=service_id,
            label=label,
            state=DeliveryState.PENDING,
            reason=None,
            text="",
            attempts=0,
            created_at=now,
            decided_at=None,
            deadline_at=now + self._deadline,
            account=account,
            action=action,
            is_uncertain=is_uncertain,
            says=says,
        )


def signed(details: Mapping[str, Any], user: str) -> dict[str, Any]:
    """Give *details* with who asked as ``from``, unless they say it themselves.

    Source: Spinnaker compatibility facts, section 4.6: the page task's default of ``details.from``.
    """
    return dict(details) if details.get("from") is not None else {**details, "from": user}


def _check_message(message: str) -> None:
    if not message.strip():
        raise InvalidRequest(
            "A page needs a message: the first line that the person on call reads.", pointer="/message"
        )
    if "\x00" in message:
        raise InvalidRequest("The message holds a NUL character, which is not text.", pointer="/message")
    try:
        message.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("The message holds half a character.", pointer="/message") from None


def _written(value: object, pointer: str) -> str:
    try:
        return text_of(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"{pointer[1:].capitalize()} cannot be written as JSON: {type(error).__name__}.", pointer=pointer
        ) from error


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=16).hexdigest()
