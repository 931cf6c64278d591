-- Issue 6: cameras that a named person put aside, until when; where a camera stood when its usual numbers were kept. Times in ms since 1970.

CREATE TABLE aside (
    camera   TEXT PRIMARY KEY NOT NULL,
    until_at BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL
);

-- Usual numbers say nothing of another place. None: kept before places were.
ALTER TABLE usual ADD COLUMN lat DOUBLE PRECISION;
ALTER TABLE usual ADD COLUMN lon DOUBLE PRECISION;

-- What is open around a place, without the closed requests of years.
CREATE INDEX request_open_by_cell ON request (cell, category) WHERE due_at IS NOT NULL;
