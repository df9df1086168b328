"""What starts pipelines without a person: the end of another pipeline, the time, and webhooks."""

from masthead.triggers.cron import Schedule
from masthead.triggers.triggers import Triggers

__all__ = ["Schedule", "Triggers"]
