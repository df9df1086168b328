"""The command line: most commands are HTTP clients of a running server."""
