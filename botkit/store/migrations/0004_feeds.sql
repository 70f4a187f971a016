-- What conversations show whose platform is this server; corrections; comments.

-- The platform's id of the message that this one takes the place of; empty for none.
ALTER TABLE botkit_inbox ADD COLUMN replaces TEXT NOT NULL DEFAULT '';
-- The platform's id of the message that led to it; empty when it had none.
ALTER TABLE botkit_messages ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE botkit_feedback ADD COLUMN comment TEXT NOT NULL DEFAULT '';

CREATE TABLE botkit_feeds (
    conversation_id BIGINT PRIMARY KEY REFERENCES botkit_conversations (id) ON DELETE CASCADE,
    -- Another one after what was shown was erased: the time in microseconds when it was begun, and
    -- one more for each erasure.
    epoch BIGINT NOT NULL,
    -- The number of the last entry.
    seq BIGINT NOT NULL DEFAULT 0,
    -- What is under way, as JSON; null when nothing is.
    live TEXT,
    -- The key of the entry whose answer is to end; empty for none.
    stop TEXT NOT NULL DEFAULT '',
    -- The keys of entries that were taken away lately, as JSON.
    gone TEXT NOT NULL DEFAULT '[]'
);

CREATE TABLE botkit_feed_entries (
    id {id},
    conversation_id BIGINT NOT NULL REFERENCES botkit_feeds (conversation_id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    -- The key of the entry that this one answers or is about; empty for none.
    answers TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    UNIQUE (conversation_id, seq),
    UNIQUE (conversation_id, key)
);
CREATE INDEX botkit_feed_entries_at ON botkit_feed_entries (at);
