//! The MQTT door as clients see it, over loopback: on the embedded broker and on Mosquitto.
//!
//! One binary. `support` has the hub with its recorded doors, the clients and Mosquitto.
#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

mod alarms;
mod broken;
mod external;
mod health;
mod life;
mod rights;
mod support;
mod tls;
