"""Organisations for the simulator, as its data file has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TYPES = ("events_api_v2_inbound_integration", "generic_events_api_inbound_integration")


def key_of(number: int) -> str:
    """The integration key of service *number*: 32 letters and digits, as PagerDuty's are."""
    return f"a{number:04d}{'b7' * 13}c"


def shop(services: int) -> dict[str, Any]:
    """Services "Service 0" …, each with one key: even ones speak Events v2, odd ones v1; somebody is on call."""
    return {
        "users": [{"id": "PADA", "name": "Ada Park", "email": "ada@example.com"}],
        "schedules": [{"id": "PROTA", "name": "Rota", "rotation": ["PADA"]}],
        "escalation_policies": [{"id": "PPOL", "name": "Shop", "levels": [["PROTA"]]}],
        "services": [
            {
                "id": f"PSHOP{number:02d}",
                "name": f"Service {number}",
                "policy": "PPOL",
                "integrations": [{"type": TYPES[number % 2], "name": "Masthead", "key": key_of(number)}],
            }
            for number in range(services)
        ],
    }


def shop_file(folder: Path, services: int) -> Path:
    """Write :func:`shop` to a file that ``masthead simulate --data`` reads."""
    path = folder / "organisation.json"
    path.write_text(json.dumps(shop(services)))
    return path
