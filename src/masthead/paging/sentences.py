"""What became of a page, in the sentences that Echo answers with."""

from __future__ import annotations

from collections.abc import Sequence

from masthead.kernel.errors import Reason
from masthead.paging.model import Delivery, DeliveryState, Page

__all__ = ["failure_sentence", "pending_sentence"]


def failure_sentence(page: Page) -> str | None:
    """Give Echo's sentence about the deliveries of *page* that failed, or None when none did.

    The two spaces after the colon are Echo's; where Echo showed the key there is the delivery's label. Echo knows nothing
    that is still tried: it is no success here, and :func:`pending_sentence` names it.

    Source: Spinnaker compatibility facts, section 1.3.
    """
    failed = page.in_state(DeliveryState.REJECTED, DeliveryState.EXPIRED)
    if not failed:
        return None
    answered = [delivery for delivery in failed if delivery.reason is Reason.ANSWER]
    others = [delivery for delivery in failed if delivery.reason is not Reason.ANSWER]
    detail = "".join(_listed(group) for group in (answered, others) if group)
    if page.in_state(DeliveryState.ACCEPTED):
        return f"Some notifications succeeded, but the following failed: {detail}"
    if answered:
        return f"There were problems with PagerDuty: {detail}"
    return f"There were issues with the request sent to PagerDuty: {detail}"


def pending_sentence(page: Page) -> str | None:
    """Name those of *page* that are still tried, or give None when everything is decided."""
    names = ", ".join(delivery.label for delivery in page.in_state(DeliveryState.PENDING))
    return f"PagerDuty has not yet taken the page for {names}; Masthead goes on trying." if names else None


def _listed(deliveries: Sequence[Delivery]) -> str:
    return " " + ", ".join(f"{each.label}: {each.text.removesuffix('.')}" for each in deliveries) + "."
