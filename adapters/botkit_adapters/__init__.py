"""Adapters: one platform each, parse in and deliver out."""
