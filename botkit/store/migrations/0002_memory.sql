-- What is remembered of a conversation besides its messages.

-- The rolling summary, as JSON, of the messages up to summarized_id; null when there is none.
ALTER TABLE botkit_conversations ADD COLUMN summary TEXT;
ALTER TABLE botkit_conversations ADD COLUMN summarized_id BIGINT NOT NULL DEFAULT 0;
-- Grows when the summary changes or what it was made of is erased: who writes a summary says which
-- version it read.
ALTER TABLE botkit_conversations ADD COLUMN memory_version BIGINT NOT NULL DEFAULT 0;
-- What the middleware notes from turn to turn, as JSON: the language, for one.
ALTER TABLE botkit_conversations ADD COLUMN notes TEXT NOT NULL DEFAULT '{{}}';
-- Its only person asked to be forgotten: it goes as soon as nothing is left to send.
ALTER TABLE botkit_conversations ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
