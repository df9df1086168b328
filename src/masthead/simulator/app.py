"""The simulator as one ASGI application: three doors over one world."""

from __future__ import annotations

from pathlib import Path

from masthead.simulator.clock import Clock
from masthead.simulator.control import build_control
from masthead.simulator.data import built_in, load
from masthead.simulator.events.intake import Intake
from masthead.simulator.incidents import Agent, Incident
from masthead.simulator.organisation import Organisation
from masthead.simulator.rest.door import RestDoor
from masthead.simulator.rest.incident_documents import agent_reference, incident_document
from masthead.simulator.rest.operations import OPERATIONS
from masthead.simulator.wire import Receive, Scope, Send
from masthead.simulator.world import World

__all__ = ["Simulator", "create_app"]


class Simulator:
    """Events APIs, REST API and control routes on one address."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._intake = Intake(world)
        self._rest = RestDoor(world, OPERATIONS)
        self._control = build_control(world)
        world.listeners.append(self._tell)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; events first, because there are many of them."""
        if scope["type"] != "http":
            await self._control(scope, receive, send)
            return
        path: str = scope["path"]
        if self._intake.takes(path):
            await self._intake(scope, receive, send)
        elif path == "/simulator" or path.startswith("/simulator/"):
            await self._control(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _tell(self, event_type: str, incident: Incident, agent: Agent) -> None:
        """Tell webhook subscribers what happened to an incident."""
        world = self.world
        if not world.subscriptions:
            return
        data = {**incident_document(world, incident), "number": incident.number}
        data["assignees"] = [assignment["assignee"] for assignment in data["assignments"]]
        world.teller.tell(event_type, data, agent_reference(world, agent), incident)


def create_app(data: Organisation | Path | None = None, *, clock: Clock | None = None) -> Simulator:
    """Build a simulator.

    Args:
        data: An organisation, the path of a data file, or None for the built-in example.
        clock: Where time comes from; None for the machine's own.

    Raises:
        DataInvalid: The data file cannot be used.
    """
    if data is None:
        data = built_in()
    organisation = data if isinstance(data, Organisation) else load(data)
    return Simulator(World(organisation, clock=clock))
