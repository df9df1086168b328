"""What starts pipelines without a person: the end of another pipeline, and webhooks."""

from masthead.triggers.triggers import Triggers

__all__ = ["Triggers"]
