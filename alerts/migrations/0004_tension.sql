-- Issue 5: how the tension index is computed, and what was computed. Times in ms since 1970, days as 2026-11-22.
-- No column here or in the tables of values can hold a count, an alert or a device of the hub: a test reads the schema.

-- A method never changes: another one has another number, and results keep the number they were made with.
CREATE TABLE tension_method (
    version BIGINT PRIMARY KEY NOT NULL,
    -- JSON of every choice.
    body    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);

-- A weight for a block that has none by rule. It holds only with a published basis and two people, and ends by itself.
CREATE TABLE tension_weight_act (
    id           BIGINT PRIMARY KEY NOT NULL,
    block        TEXT NOT NULL,
    weight       DOUBLE PRECISION NOT NULL,
    basis        TEXT NOT NULL,
    basis_url    TEXT NOT NULL,
    published_on TEXT NOT NULL,
    proposed_at  BIGINT NOT NULL,
    proposed_by  TEXT NOT NULL,
    decided_at   BIGINT,
    decided_by   TEXT,
    approved     BIGINT,
    expires_on   TEXT NOT NULL,
    revoked_at   BIGINT,
    revoked_by   TEXT
);

-- The newest result of each method and period; those of earlier methods stay as they were shown.
CREATE TABLE tension_result (
    method      BIGINT NOT NULL,
    period      TEXT NOT NULL,
    computed_at BIGINT NOT NULL,
    -- JSON of the index of every area.
    body        TEXT NOT NULL,
    PRIMARY KEY (method, period)
);
