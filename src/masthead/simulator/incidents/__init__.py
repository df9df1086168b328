"""Incidents: their records and the book that keeps them."""

from __future__ import annotations

from masthead.simulator.incidents.book import IncidentBook, Listener
from masthead.simulator.incidents.records import Agent, Alert, Incident, LogEntry, Note, Opening, Signal

__all__ = ["Agent", "Alert", "Incident", "IncidentBook", "Listener", "LogEntry", "Note", "Opening", "Signal"]
