"""Platforms on loopback, for tests without the platform: stateful, strict, and faulty on demand."""
