"""Chat bots on every platform, answered by a model in the process or by any endpoint."""
