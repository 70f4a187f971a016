"""How large a grammar may be, and how much work it may make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GrammarLimits:
    """Bounds on what requests ask to be compiled.

    ``llguidance`` bounds its own work by counting it ("fuel"), but neither by time nor in every
    place. What it was measured to take too long for is refused by looking at the request: see
    :mod:`botkit_models.structured.schema`.

    Fields:
        bytes: Of all schemas, expressions and grammars of a request, as UTF-8. OpenAI's limit on a
            schema's texts is 120,000 characters.
        depth: How deep a schema may be nested, counted in JSON arrays and objects.
        properties: All properties that a schema names (2,000 optional ones took 1.3 s, 10,000 took
            42 s).
        enum_values: All values of its enumerations (20,000 objects took 8 s).
        multiple: The least common multiple of its ``multipleOf``, without regard to the decimal
            point (100,003 took 1.4 s; 1,000,003 did not end in 8 s).
        atoms: Characters and classes of a regular expression with its counts ``{n}`` written out
            (``a{100000}`` took 0.7 s for a single mask).
        literal: Characters of one text that must come as it is, such as a ``const`` (100,000 took
            0.15 s at every token).
        seconds: The time after which a compilation is given up. The work itself cannot be
            interrupted: it goes on in its thread, of which there are ``threads``.
        kept: How many compiled grammars are kept for later requests.
        lexer_states: States (1 to 2 kB each) that a grammar's lexer may build up over all replies.
        mask_seconds: What all the masks of one reply, and the looks for its end, may cost beyond
            ``mask_share`` per token.
        mask_share: What they may cost on the average, in seconds.
    """

    bytes: int = 128 * 1024
    depth: int = 64
    properties: int = 1_500
    enum_values: int = 2_000
    multiple: int = 20_000
    atoms: int = 10_000
    literal: int = 8_192
    seconds: float = 10.0
    threads: int = 2
    kept: int = 32
    lexer_states: int = 50_000
    mask_seconds: float = 10.0
    mask_share: float = 0.05
