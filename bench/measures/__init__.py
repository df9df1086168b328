"""What is measured: one file a subject, one function a line of the issue or a few that share a run."""
