"""Webhooks v3: subscriptions, signed bodies, delivery with retries."""

from __future__ import annotations

__all__: list[str] = []
