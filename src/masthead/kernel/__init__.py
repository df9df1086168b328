"""What everything else stands on: errors, the clock, ids, the caller, secrets, background tasks."""
