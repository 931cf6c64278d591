-- One schema for SQLite and PostgreSQL: BIGINT (times in ms since 1970, flags 0/1), DOUBLE PRECISION and TEXT.

CREATE TABLE alert (
    id           BIGINT PRIMARY KEY NOT NULL,
    version      BIGINT NOT NULL,
    kind         TEXT NOT NULL,
    test         BIGINT NOT NULL,
    level        TEXT NOT NULL,
    state        TEXT NOT NULL,
    site         TEXT,
    device       TEXT,
    lat          DOUBLE PRECISION,
    lon          DOUBLE PRECISION,
    raised_at    BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    closed_at    BIGINT,
    claimed_by   TEXT,
    unit         TEXT,
    close_reason TEXT,
    stored       BIGINT NOT NULL,
    subsided_at  BIGINT,
    cause        TEXT NOT NULL
);
CREATE INDEX alert_by_state ON alert (state, id);
CREATE INDEX alert_by_time ON alert (raised_at);

-- One line of an alert's history. Its version is that of the alert after it, so that writing it twice is writing it once.
CREATE TABLE transition (
    alert      BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    action     TEXT NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL,
    who        TEXT NOT NULL,
    role       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    reason     TEXT,
    unit       TEXT,
    PRIMARY KEY (alert, version)
);

CREATE TABLE count_raw (
    camera TEXT NOT NULL,
    at     BIGINT NOT NULL,
    people DOUBLE PRECISION NOT NULL,
    low    DOUBLE PRECISION NOT NULL,
    high   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (camera, at)
);
CREATE INDEX count_raw_by_time ON count_raw (at);

-- Means over a minute or an hour, and the largest count in it; `at` is its beginning.
CREATE TABLE count_minute (
    camera  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    people  DOUBLE PRECISION NOT NULL,
    low     DOUBLE PRECISION NOT NULL,
    high    DOUBLE PRECISION NOT NULL,
    peak    DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (camera, at)
);
CREATE INDEX count_minute_by_time ON count_minute (at);
CREATE TABLE count_hour (
    camera  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    people  DOUBLE PRECISION NOT NULL,
    low     DOUBLE PRECISION NOT NULL,
    high    DOUBLE PRECISION NOT NULL,
    peak    DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (camera, at)
);
CREATE INDEX count_hour_by_time ON count_hour (at);

-- Staff. Never a person seen by a camera.
CREATE TABLE account (
    name          TEXT PRIMARY KEY NOT NULL,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    site          TEXT,
    unit          TEXT,
    language      TEXT NOT NULL,
    disabled      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE TABLE session (
    token_sha256 TEXT PRIMARY KEY NOT NULL,
    csrf         TEXT NOT NULL,
    account      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL
);
CREATE INDEX session_by_account ON session (account);

-- Hash chain: each hash covers its row and the hash before it.
CREATE TABLE audit (
    seq     BIGINT PRIMARY KEY NOT NULL,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    role    TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    purpose TEXT,
    hash    TEXT NOT NULL
);
CREATE INDEX audit_by_action ON audit (action, at);

CREATE TABLE sound_test (
    account TEXT NOT NULL,
    at      BIGINT NOT NULL,
    heard   BIGINT NOT NULL,
    PRIMARY KEY (account, at)
);

-- Named texts: imported areas, the applied journal row, the audit head.
CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
);
