"""What ``botkit bench`` measures: the engine, the server process, imports and quality."""
