"""The demo: everything on one machine by one command (docs/adr/0002-two-ways-to-run.md)."""
