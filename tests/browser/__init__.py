"""Journeys through the pages, in Chromium.

A package, unlike other folders of tests, so that one browser serves all of it and is closed behind its last test:
while it is open its event loop counts as running, and no asynchronous test could run in the same process.
"""
