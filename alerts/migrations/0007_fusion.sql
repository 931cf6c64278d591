-- Issue 6: what is usual at cameras, zones and flows, assemblies, special places, planned events, rule changes. Times in ms since 1970.

-- What is usual at a camera, as `usual::Usual::to_bytes` writes it; learned again when it is lost.
CREATE TABLE usual (
    camera TEXT PRIMARY KEY NOT NULL,
    at     BIGINT NOT NULL,
    body   BYTEA NOT NULL
);

-- People in a zone, and crossings of a line, as they were counted; then per minute.
CREATE TABLE zone_raw (
    camera  TEXT NOT NULL,
    zone    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    people  DOUBLE PRECISION NOT NULL,
    low     DOUBLE PRECISION NOT NULL,
    high    DOUBLE PRECISION NOT NULL,
    area_m2 DOUBLE PRECISION,
    PRIMARY KEY (camera, zone, at)
);
CREATE INDEX zone_raw_by_time ON zone_raw (at);
CREATE TABLE zone_minute (
    camera  TEXT NOT NULL,
    zone    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    people  DOUBLE PRECISION NOT NULL,
    low     DOUBLE PRECISION NOT NULL,
    high    DOUBLE PRECISION NOT NULL,
    peak    DOUBLE PRECISION NOT NULL,
    area_m2 DOUBLE PRECISION,
    PRIMARY KEY (camera, zone, at)
);
CREATE INDEX zone_minute_by_time ON zone_minute (at);
CREATE TABLE flow_raw (
    camera   TEXT NOT NULL,
    line     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    forward  BIGINT NOT NULL,
    backward BIGINT NOT NULL,
    over_ms  BIGINT NOT NULL,
    PRIMARY KEY (camera, line, at)
);
CREATE INDEX flow_raw_by_time ON flow_raw (at);
CREATE TABLE flow_minute (
    camera   TEXT NOT NULL,
    line     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    forward  BIGINT NOT NULL,
    backward BIGINT NOT NULL,
    over_ms  BIGINT NOT NULL,
    PRIMARY KEY (camera, line, at)
);
CREATE INDEX flow_minute_by_time ON flow_minute (at);

-- Assemblies, special places and planned events: JSON of `domain::assembly` and of the calendar. No identity of an organiser.
CREATE TABLE assembly (
    id         BIGINT PRIMARY KEY NOT NULL,
    body       TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE INDEX assembly_by_time ON assembly (until_at);
CREATE TABLE special_place (
    id         BIGINT PRIMARY KEY NOT NULL,
    body       TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE TABLE planned_event (
    id         BIGINT PRIMARY KEY NOT NULL,
    site       TEXT NOT NULL,
    name       TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    people     DOUBLE PRECISION,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE INDEX planned_event_by_time ON planned_event (until_at);

-- Rules that a named person changed, never overwritten: the newest line of a name holds.
CREATE TABLE rule_change (
    id     BIGINT PRIMARY KEY NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    who    TEXT NOT NULL,
    reason TEXT NOT NULL
);
