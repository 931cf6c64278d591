-- Issue 5: requests of residents, action plan, emergency journal, analytic notes. Times in ms since 1970, days as 2026-11-22.

-- `id` and `received_at` grow together: a page of the search is a range of ids, and so is a range of dates.
-- `due_at` is the deadline that runs now; none when none does. `body` and the exact place go when their time is over.
CREATE TABLE request (
    id          BIGINT PRIMARY KEY NOT NULL,
    reference   TEXT NOT NULL UNIQUE,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    category    TEXT NOT NULL,
    service     TEXT NOT NULL,
    area        TEXT NOT NULL,
    channel     TEXT NOT NULL,
    language    TEXT NOT NULL,
    body        TEXT,
    place       TEXT,
    lat         DOUBLE PRECISION NOT NULL,
    lon         DOUBLE PRECISION NOT NULL,
    cell        TEXT NOT NULL,
    masked      TEXT NOT NULL,
    attributes  TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    answer_by   BIGINT NOT NULL,
    answered_at BIGINT,
    promised_at BIGINT,
    due_at      BIGINT,
    done_at     BIGINT,
    judge_until BIGINT,
    closed_at   BIGINT,
    reopened    BIGINT NOT NULL,
    answer      TEXT,
    followers   BIGINT NOT NULL,
    merged_into BIGINT,
    idem        TEXT UNIQUE,
    idem_body   TEXT,
    updated_at  BIGINT NOT NULL,
    demo        BIGINT NOT NULL
);
CREATE INDEX request_by_time ON request (received_at, id);
CREATE INDEX request_by_cell ON request (cell, category, id);
CREATE INDEX request_due ON request (due_at, id, state, area, category, service) WHERE due_at IS NOT NULL;
CREATE INDEX request_to_judge ON request (judge_until) WHERE closed_at IS NULL AND judge_until IS NOT NULL;
CREATE INDEX request_followers ON request (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX request_with_text ON request (received_at) WHERE body IS NOT NULL;

-- One line of a request's history; the version is that of the request after it.
CREATE TABLE request_step (
    request    BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    who        TEXT NOT NULL,
    role       TEXT,
    action     TEXT NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL,
    words      TEXT,
    due_at     BIGINT,
    PRIMARY KEY (request, version)
);

-- How to reach whoever filed it: sealed with the hub's own key, bound to the reference, gone at its date.
CREATE TABLE request_contact (
    request    BIGINT PRIMARY KEY NOT NULL,
    sealed     TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX request_contact_by_expiry ON request_contact (expires_at);

-- Counts by the local day of receipt (20261122), so that a year of figures is a few thousand rows.
CREATE TABLE request_tally (
    day              BIGINT NOT NULL,
    area             TEXT NOT NULL,
    category         TEXT NOT NULL,
    service          TEXT NOT NULL,
    received         BIGINT NOT NULL,
    answered         BIGINT NOT NULL,
    answered_in_time BIGINT NOT NULL,
    answer_ms        BIGINT NOT NULL,
    done             BIGINT NOT NULL,
    done_in_time     BIGINT NOT NULL,
    reopened         BIGINT NOT NULL,
    PRIMARY KEY (day, area, category, service)
);

-- More requests than usual: for the service, and for nobody else.
CREATE TABLE request_signal (
    id         BIGINT PRIMARY KEY NOT NULL,
    category   TEXT NOT NULL,
    area       TEXT NOT NULL,
    service    TEXT NOT NULL,
    day        BIGINT NOT NULL,
    count      BIGINT NOT NULL,
    expected   DOUBLE PRECISION NOT NULL,
    threshold  DOUBLE PRECISION NOT NULL,
    formula    TEXT NOT NULL,
    raised_at  BIGINT NOT NULL,
    state      TEXT NOT NULL,
    words      TEXT,
    who        TEXT,
    changed_at BIGINT,
    demo       BIGINT NOT NULL,
    UNIQUE (day, area, category)
);

CREATE TABLE plan_measure (
    id         BIGINT PRIMARY KEY NOT NULL,
    block      TEXT NOT NULL,
    number     TEXT NOT NULL,
    title      TEXT NOT NULL,
    owner      TEXT NOT NULL,
    area       TEXT,
    deadline   TEXT NOT NULL,
    progress   BIGINT NOT NULL,
    state      TEXT NOT NULL,
    evidence   TEXT NOT NULL,
    expected   TEXT,
    issue      BIGINT,
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    demo       BIGINT NOT NULL
);
CREATE TABLE plan_step (
    measure BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    changes TEXT NOT NULL,
    words   TEXT,
    PRIMARY KEY (measure, version)
);
CREATE TABLE plan_issue (
    id         BIGINT PRIMARY KEY NOT NULL,
    meeting    TEXT NOT NULL,
    held_on    TEXT NOT NULL,
    area       TEXT,
    block      TEXT,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL,
    measure    BIGINT,
    answer     TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    changed_at BIGINT,
    changed_by TEXT,
    demo       BIGINT NOT NULL
);

-- An entry of the emergency journal is its versions; none is ever changed or removed.
CREATE TABLE emergency_version (
    entry      BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    area       TEXT NOT NULL,
    place      TEXT,
    what       TEXT NOT NULL,
    measures   TEXT NOT NULL,
    dead       BIGINT NOT NULL,
    injured    BIGINT NOT NULL,
    evacuated  BIGINT NOT NULL,
    children   BIGINT NOT NULL,
    ongoing    BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    written_by TEXT NOT NULL,
    reason     TEXT,
    demo       BIGINT NOT NULL,
    PRIMARY KEY (entry, n)
);
CREATE INDEX emergency_by_time ON emergency_version (at, entry);

CREATE TABLE analytic_note (
    id             BIGINT PRIMARY KEY NOT NULL,
    title          TEXT NOT NULL,
    area           TEXT,
    finding        TEXT NOT NULL,
    evidence       TEXT NOT NULL,
    recommendation TEXT NOT NULL,
    addressee      TEXT NOT NULL,
    deadline       TEXT NOT NULL,
    state          TEXT NOT NULL,
    answer         TEXT,
    answered_at    BIGINT,
    answer_by      TEXT,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    sent_at        BIGINT,
    demo           BIGINT NOT NULL
);
