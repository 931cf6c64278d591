-- Issue 3: the alarm path. Times in ms since 1970, flags 0/1, JSON as TEXT.

ALTER TABLE alert ADD COLUMN progress TEXT NOT NULL DEFAULT '{}';
ALTER TABLE account ADD COLUMN area TEXT;

-- Rows of the alarm journal that are applied here while a row before them is not; empty nearly always.
CREATE TABLE applied_row (
    row_number BIGINT PRIMARY KEY NOT NULL
);

-- Last proof of life and state of a supervised device, so that a restart does not make everybody lost or found.
CREATE TABLE device_life (
    device  TEXT PRIMARY KEY NOT NULL,
    seen_at BIGINT NOT NULL,
    state   TEXT NOT NULL
);

-- Register of institutions: every one that should be connected, also those that never were. `id` is the site's id where it is one.
CREATE TABLE institution (
    id         TEXT PRIMARY KEY NOT NULL,
    name_kk    TEXT NOT NULL,
    name_ru    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    area       TEXT NOT NULL,
    lat        DOUBLE PRECISION,
    lon        DOUBLE PRECISION,
    address    TEXT,
    status     TEXT NOT NULL,
    cause      TEXT,
    owner      TEXT,
    deadline   TEXT,
    provider   TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE INDEX institution_by_area ON institution (area);

-- Drills. `steps` is the JSON of what was reached and when.
CREATE TABLE drill (
    id           BIGINT PRIMARY KEY NOT NULL,
    site         TEXT NOT NULL,
    scheduled_at BIGINT NOT NULL,
    until_at     BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    started_at   BIGINT,
    ended_at     BIGINT,
    alert        BIGINT,
    result       TEXT,
    steps        TEXT NOT NULL DEFAULT '{}',
    note         TEXT
);
CREATE INDEX drill_by_site ON drill (site, scheduled_at);

-- Shift handover: who gave what to whom, with the alerts that were open.
CREATE TABLE handover (
    id          BIGINT PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    given_by    TEXT NOT NULL,
    role        TEXT NOT NULL,
    note        TEXT NOT NULL,
    open_alerts TEXT NOT NULL,
    taken_by    TEXT,
    taken_at    BIGINT
);
CREATE INDEX handover_by_time ON handover (at);

-- Site file. Contacts are people: the text is encrypted with the hub's own key, and goes when it expires.
CREATE TABLE site_file (
    site       TEXT PRIMARY KEY NOT NULL,
    address    TEXT,
    notes      TEXT,
    entrances  TEXT NOT NULL DEFAULT '[]',
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE TABLE site_contact (
    site       TEXT NOT NULL,
    id         TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE TABLE site_plan (
    site       TEXT PRIMARY KEY NOT NULL,
    media_type TEXT NOT NULL,
    picture    BYTEA NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- Phones of school contacts. Tokens and codes are stored as digests.
CREATE TABLE phone (
    device        TEXT PRIMARY KEY NOT NULL,
    site          TEXT NOT NULL,
    name          TEXT NOT NULL,
    token_sha256  TEXT NOT NULL,
    cancel_code   TEXT NOT NULL,
    duress_code   TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    seen_at       BIGINT,
    revoked_at    BIGINT
);
CREATE UNIQUE INDEX phone_by_token ON phone (token_sha256);
CREATE TABLE phone_enrolment (
    code_sha256 TEXT PRIMARY KEY NOT NULL,
    site        TEXT NOT NULL,
    name        TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    expires_at  BIGINT NOT NULL
);

-- Durable outbox of the connectors: one line for each version of an alert and each receiver.
CREATE TABLE outbox (
    connector    TEXT NOT NULL,
    alert        BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    body         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0,
    next_at      BIGINT NOT NULL,
    delivered_at BIGINT,
    error        TEXT,
    PRIMARY KEY (connector, alert, version)
);
CREATE INDEX outbox_due ON outbox (delivered_at, next_at);
-- Words of receiving systems that were taken already.
CREATE TABLE inbox (
    connector   TEXT NOT NULL,
    event       TEXT NOT NULL,
    alert       BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (connector, event)
);
