"""One file a revision; each keeps working beside the release before it."""
