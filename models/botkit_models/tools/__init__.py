"""Tool calls in a model's own words: what the prompt says of tools, and calls found in a reply."""
