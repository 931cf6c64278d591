//! Vocabulary of the hub.
//!
//! What belongs here: names, units and shapes that more than one crate speaks of, the versioned
//! wire formats, and the pure rules about them (which topic belongs to whom, what a valid count is).
//! What does not: I/O of any kind. This crate opens no file, socket or database and reads no clock;
//! whoever needs the time receives it.
#![forbid(unsafe_code)]

pub mod alarm;
pub mod alert;
pub mod assembly;
pub mod badge;
pub mod count;
pub mod crowd;
pub mod event;
pub mod frame;
pub mod geo;
pub mod hazard;
pub mod health;
pub mod id;
pub mod indicator;
pub mod period;
pub mod role;
pub mod sign;
pub mod text;
pub mod time;
pub mod topic;
pub mod wire;
pub mod zone;

pub use alarm::{Alarm, AlarmKey, AlarmKind, Door, PressId, Signal};
pub use count::{Count, CountSource};
pub use event::Event;
pub use frame::{Frame, I420};
pub use geo::GeoPoint;
pub use health::{CameraFault, CameraHealth, CameraState};
pub use id::{AlertId, AreaCode, BlockId, DeviceId, DeviceRef, IndicatorId, SiteId, UnitId, UserName};
pub use indicator::{Basis, Block, Catalogue, CountsOf, Direction, Indicator, Observation, ValueError, ValueKind};
pub use period::{Period, PeriodKind};
pub use role::Role;
pub use sign::{Sign, SignKind};
pub use text::Trilingual;
pub use time::{Clock, ManualClock, SystemClock, UtcMs};
pub use zone::{LevelOfService, LineFlow, ZoneCount};
