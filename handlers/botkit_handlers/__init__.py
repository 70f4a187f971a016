"""Handlers that answer turns."""
