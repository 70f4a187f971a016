"""What a bot remembers: of a conversation a rolling summary, of a person a profile of facts."""
