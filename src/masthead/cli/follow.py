"""Looking on while an execution runs: every stage and every delivery is told once, when it changes."""

from __future__ import annotations

import time
from typing import Any

from masthead.cli import show
from masthead.cli.client import ENDED, Client, ServerMissing
from masthead.cli.page_words import DeliveryNews

__all__ = ["follow", "patiently"]

_POLL_S = 0.2
#: How long a server may be away, as when it is started again, before looking on ends.
_PATIENCE_S = 60.0


def follow(client: Client, path: str, *, stages: bool) -> dict[str, Any]:
    """Print what is new of the task or execution at *path* until it has ended, and give it.

    With *stages* they are told too, not only the deliveries of pages.
    """
    news = _News(client, path.rpartition("/")[2], stages=stages)
    while True:
        found = patiently(client, path)
        news.tell(found.get("execution") or found)
        if found["status"] in ENDED:
            return found
        time.sleep(_POLL_S)


def patiently(client: Client, path: str, **params: Any) -> dict[str, Any]:
    """Give what is at *path*, also when the server is started again in between."""
    deadline = time.monotonic() + _PATIENCE_S
    is_told = False
    while True:
        try:
            return dict(client.get(path, **params))
        except ServerMissing:
            if time.monotonic() > deadline:
                raise
            if not is_told:
                show.say("The server does not answer; waiting for it.", err=True)
            is_told = True
            time.sleep(_POLL_S)


class _News:
    """What was told already."""

    def __init__(self, client: Client, execution_id: str, *, stages: bool) -> None:
        self._client = client
        self._id = execution_id
        self._stages = stages
        self._told: dict[str, str] = {}
        self._deliveries = DeliveryNews(client)

    def tell(self, execution: dict[str, Any]) -> None:
        """Print what changed since the last time."""
        for stage in execution.get("stages", ()):
            self._tell_stage(stage)
            if stage["type"] == "pageApplicationOwner" and stage["status"] != "NOT_STARTED":
                self._tell_deliveries(stage["id"])
            if self._stages and stage["status"] in ENDED:
                errors = stage.get("context", {}).get("exception", {}).get("details", {}).get("errors", ())
                self._once(f"{stage['id']} errors", " ".join(map(str, errors)), indent="    ")

    def _tell_stage(self, stage: dict[str, Any]) -> None:
        if self._stages and stage["status"] != "NOT_STARTED":
            self._once(stage["id"], f"{stage['name']}: {stage['status']}", indent="  ")

    def _tell_deliveries(self, stage_id: str) -> None:
        for page in self._client.get("/v1/pages", executionId=self._id)["pages"]:
            if page.get("stageId") == stage_id:
                for delivery in page["deliveries"]:
                    self._once(
                        delivery["id"], self._deliveries.line(delivery), indent="    " if self._stages else ""
                    )

    def _once(self, key: str, line: str, *, indent: str) -> None:
        if line and self._told.get(key) != line:
            self._told[key] = line
            show.say(f"{indent}{line}")
