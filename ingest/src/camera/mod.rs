//! Cameras (being written).
