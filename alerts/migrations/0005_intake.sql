-- Issue 5: values of indicators, how they came in, and what is told from other sources. Times in ms since 1970, days as YYYY-MM-DD.
-- Nothing here names a person, an account, a link or a publication, and no column can hold a count, an alert or a device of the hub.

-- Everything that brought values: a file, a machine's message, a survey, a register. `undone_at` takes all its values back.
CREATE TABLE intake_import (
    id          BIGINT PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    who         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    source      TEXT NOT NULL,
    filename    TEXT,
    sha256      TEXT,
    taken       BIGINT NOT NULL,
    suppressed  BIGINT NOT NULL,
    demo        BIGINT NOT NULL,
    undone_at   BIGINT,
    undone_by   TEXT,
    undo_reason TEXT
);

-- Append-only: a correction is another row, an undo is a mark on the import. A row whose import is not there was never taken.
CREATE TABLE indicator_value (
    seq         BIGINT PRIMARY KEY NOT NULL,
    area        TEXT NOT NULL,
    indicator   TEXT NOT NULL,
    period      TEXT NOT NULL,
    value       DOUBLE PRECISION NOT NULL,
    cases       BIGINT,
    denominator DOUBLE PRECISION,
    source      TEXT,
    import      BIGINT NOT NULL
);
CREATE INDEX indicator_value_by_key ON indicator_value (area, indicator, period, seq);
CREATE INDEX indicator_value_by_import ON indicator_value (import);
-- Which row stands: the newest of an import that is not undone. Made of the two tables above, kept for speed.
CREATE TABLE indicator_standing (
    area      TEXT NOT NULL,
    indicator TEXT NOT NULL,
    period    TEXT NOT NULL,
    seq       BIGINT NOT NULL,
    PRIMARY KEY (area, indicator, period)
);
CREATE INDEX indicator_standing_by_period ON indicator_standing (period);

CREATE TABLE survey (
    id           BIGINT PRIMARY KEY NOT NULL,
    area         TEXT NOT NULL,
    ended        TEXT NOT NULL,
    body         TEXT NOT NULL,
    entered_at   BIGINT NOT NULL,
    entered_by   TEXT NOT NULL,
    import       BIGINT,
    withdrawn_at BIGINT,
    withdrawn_by TEXT
);

CREATE TABLE signal (
    id         BIGINT PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    area       TEXT NOT NULL,
    place      TEXT NOT NULL,
    lat        DOUBLE PRECISION,
    lon        DOUBLE PRECISION,
    body       TEXT NOT NULL,
    service    TEXT NOT NULL,
    status     TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    entered_by TEXT NOT NULL,
    due_at     BIGINT NOT NULL
);
CREATE INDEX signal_by_area ON signal (area, id);
CREATE TABLE signal_step (
    signal BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    who    TEXT NOT NULL,
    status TEXT NOT NULL,
    note   TEXT,
    PRIMARY KEY (signal, n)
);

-- Appeals on the blogs of leaders: that there was one, about what and where, and whether it was answered in time.
CREATE TABLE blog_appeal (
    id         BIGINT PRIMARY KEY NOT NULL,
    received   TEXT NOT NULL,
    area       TEXT NOT NULL,
    topic      TEXT NOT NULL,
    leader     TEXT NOT NULL,
    due        TEXT NOT NULL,
    answered   TEXT,
    entered_at BIGINT NOT NULL,
    entered_by TEXT NOT NULL
);
CREATE INDEX blog_appeal_by_day ON blog_appeal (received);

-- Duties of official websites.
CREATE TABLE website_duty (
    id         BIGINT PRIMARY KEY NOT NULL,
    site       TEXT NOT NULL,
    area       TEXT,
    duty_kk    TEXT NOT NULL,
    duty_ru    TEXT NOT NULL,
    duty_en    TEXT NOT NULL,
    basis      TEXT NOT NULL,
    done       BIGINT NOT NULL,
    checked_at TEXT,
    checked_by TEXT
);

-- Publications of registered mass media: totals of a day, a district and a topic, and nothing of a publication.
CREATE TABLE feed_total (
    feed  TEXT NOT NULL,
    day   TEXT NOT NULL,
    area  TEXT NOT NULL,
    topic TEXT NOT NULL,
    items BIGINT NOT NULL,
    PRIMARY KEY (feed, day, area, topic)
);
CREATE TABLE feed_state (
    feed          TEXT PRIMARY KEY NOT NULL,
    -- What was published up to here is counted.
    mark          BIGINT,
    etag          TEXT,
    last_modified TEXT,
    last_ok_at    BIGINT,
    last_try_at   BIGINT,
    next_try_at   BIGINT,
    failures      BIGINT NOT NULL,
    error         TEXT,
    undated       BIGINT NOT NULL
);
