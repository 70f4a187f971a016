-- Times are seconds since 1970. A row of the inbox or outbox is open while done_at is null.

CREATE TABLE botkit_conversations (
    id {id},
    platform TEXT NOT NULL,
    space TEXT NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '{{}}',
    -- The fencing token: grows with every lease.
    token BIGINT NOT NULL,
    -- Who holds the lease; null when nobody does.
    owner TEXT,
    -- Whether its holder takes messages that follow one another as one turn.
    batch INTEGER NOT NULL DEFAULT 0,
    -- When somebody should look at it next: the lease's expiry while it is held, else when its
    -- first open row is due; null when nothing waits. Claims and timers read this column alone.
    wake_at DOUBLE PRECISION,
    -- Whether the last accepted event found it idle.
    was_idle INTEGER NOT NULL DEFAULT 1,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    UNIQUE (platform, space, channel, thread)
);
CREATE INDEX botkit_conversations_wake ON botkit_conversations (wake_at)
    WHERE wake_at IS NOT NULL;

CREATE TABLE botkit_moves (
    platform TEXT NOT NULL,
    space TEXT NOT NULL,
    channel TEXT NOT NULL,
    new_channel TEXT NOT NULL,
    PRIMARY KEY (platform, space, channel)
);

CREATE TABLE botkit_seen (
    key TEXT PRIMARY KEY,
    at DOUBLE PRECISION NOT NULL
);
CREATE INDEX botkit_seen_at ON botkit_seen (at);

CREATE TABLE botkit_inbox (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    event TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    preview TEXT,
    reason TEXT,
    received_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    done_at DOUBLE PRECISION
);
CREATE INDEX botkit_inbox_open ON botkit_inbox (conversation_id, id) WHERE done_at IS NULL;
CREATE INDEX botkit_inbox_done ON botkit_inbox (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX botkit_inbox_conversation ON botkit_inbox (conversation_id, id);

CREATE TABLE botkit_messages (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    -- Whose event led to it.
    sender_id TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX botkit_messages_conversation ON botkit_messages (conversation_id, id);

CREATE TABLE botkit_outbox (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    -- The event that it answers, the how-manieth reply to it, and which piece of that reply.
    event_id BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    part INTEGER NOT NULL,
    sender_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- The token of the lease under which an attempt is under way, or was when it crashed; else 0.
    sending BIGINT NOT NULL DEFAULT 0,
    uncertain INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    message_id TEXT,
    created_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    done_at DOUBLE PRECISION,
    UNIQUE (event_id, ordinal, part)
);
CREATE INDEX botkit_outbox_open ON botkit_outbox (conversation_id, id) WHERE done_at IS NULL;
CREATE INDEX botkit_outbox_done ON botkit_outbox (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX botkit_outbox_conversation ON botkit_outbox (conversation_id, id);

CREATE TABLE botkit_dead_letters (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    event_id BIGINT NOT NULL,
    sender_id TEXT NOT NULL,
    content TEXT NOT NULL,
    reason TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);
CREATE INDEX botkit_dead_letters_conversation ON botkit_dead_letters (conversation_id);

CREATE TABLE botkit_feedback (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    value TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    UNIQUE (conversation_id, message_id, sender_id)
);

CREATE TABLE botkit_records (
    namespace TEXT NOT NULL,
    key {bytewise} NOT NULL,
    value TEXT NOT NULL,
    expires_at DOUBLE PRECISION,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX botkit_records_expiry ON botkit_records (expires_at) WHERE expires_at IS NOT NULL;
