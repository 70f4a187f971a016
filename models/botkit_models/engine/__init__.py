"""The engine: requests in, tokens out; slots, compiled programs, sampling, scheduling."""
