"""How much people may ask: rates of turns, and tokens per day.

Everything here counts in this process first. Redis, where it is set up, makes processes count
together; when it is away, slow or emptied, each goes on by its own counts and by what it knows of
the others.
"""
