"""Quartz's cron lines: what they mean, and when they fire."""

from masthead.triggers.quartz.errors import BadCronLine
from masthead.triggers.quartz.line import CronLine, read_line, spread

__all__ = ["BadCronLine", "CronLine", "read_line", "spread"]
