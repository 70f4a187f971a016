"""The transactions of the store, as scripts."""
