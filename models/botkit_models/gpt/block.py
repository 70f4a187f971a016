"""How the cache is divided; apart, since reading it needs no JAX."""

BLOCK = 16
"""Positions that a block of the cache has."""
