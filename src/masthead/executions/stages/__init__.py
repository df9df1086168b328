"""Stage types: one file each, registered by one line in ``registry.py``."""
