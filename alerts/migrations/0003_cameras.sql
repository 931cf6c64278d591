-- Issue 4: cameras that are added while the hub runs, and how well every camera worked. Times in ms since 1970.

-- `keys` is the JSON of the camera's keys; its passwords are sealed with the hub's own key.
CREATE TABLE camera (
    camera     TEXT PRIMARY KEY NOT NULL,
    keys       TEXT NOT NULL,
    sealed     TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- Of each hour: seconds in which pictures (or counts) came, and seconds in which the hub ran and could have seen them.
CREATE TABLE camera_hour (
    camera  TEXT NOT NULL,
    hour_at BIGINT NOT NULL,
    live_s  BIGINT NOT NULL,
    known_s BIGINT NOT NULL,
    PRIMARY KEY (camera, hour_at)
);
