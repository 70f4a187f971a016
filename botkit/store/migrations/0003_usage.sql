-- Tokens used per day, counted since 1970, by a person, conversation or workspace. The keys are
-- hashes that are other ones every day: no id of anybody is here, and rows go after two days.

CREATE TABLE botkit_usage (
    day BIGINT NOT NULL,
    key TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    PRIMARY KEY (day, key)
);
