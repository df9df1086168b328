"""Logs that programs and people can read, and never a key in them."""
