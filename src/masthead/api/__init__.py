"""Every HTTP door: Gate at the root, Orca, Echo and Front50 under their names, our own /v1, health, one error table."""

from masthead.api.app import DOOR_NAMES, create_app, create_door
from masthead.api.services import Services

__all__ = ["DOOR_NAMES", "Services", "create_app", "create_door"]
