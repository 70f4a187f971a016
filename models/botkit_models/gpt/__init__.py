"""The decoder: its layers, one file each."""
