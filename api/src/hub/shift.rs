//! The response clock of the running hub, and whether anybody who hears sits at a duty desk.

use std::{sync::Arc, time::Duration};

use qorgan_alerts::response::ResponseClock;
use qorgan_domain::{Event, UtcMs};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{App, Change};
use crate::error::chain;

/// The clock is read back for this long at a start, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// A page that is loaded again is away for a moment; only after this is its desk unattended.
const PATIENCE: Duration = Duration::from_secs(5);
/// Desks find the hub again in this time after it has started.
const START: Duration = Duration::from_secs(30);
/// Screens see the figures change at most this often.
const SHOW_EVERY: Duration = Duration::from_secs(5);

/// Reads the alarms of the last day.
pub(super) async fn clock(app: &App) -> Result<ResponseClock, qorgan_alerts::Error> {
    let mut clock = ResponseClock::default();
    for alert in app.store.alarms_since(UtcMs(app.clock.utc().0 - DAY_MS)).await? {
        clock.see(&alert);
    }
    for alert in &app.engine.open_alerts() {
        clock.see(alert);
    }
    Ok(clock)
}

/// Follows the alerts and the desks until cancelled.
pub(super) async fn follow(app: App, cancel: CancellationToken) {
    let mut cursor = app.ring.cursor();
    let read_back = |app: App| async move {
        match clock(&app).await {
            Ok(clock) => *app.response() = clock,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the alarms of the last day could not be read; the response clock begins now");
            }
        }
    };
    read_back(app.clone()).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut attendance = Attendance { told: true, absent_since: None, began: Instant::now() };
    let (mut shown, mut shown_at) = (None, Instant::now());
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {}
        }
        loop {
            let Ok((changes, next)) = app.ring.since(&cursor, 1_024) else {
                cursor = app.ring.cursor();
                read_back(app.clone()).await;
                break;
            };
            cursor = next;
            if changes.is_empty() {
                break;
            }
            let mut clock = app.response();
            for change in &changes {
                if let Change::Alert(alert) = change {
                    clock.see(alert);
                }
            }
        }
        if let Some(attended) = attendance.step(app.desks.attended_by_duty(), Instant::now()) {
            if app.engine.tell(Event::Attended(attended)).await.is_err() {
                return;
            }
            if !attended {
                tracing::warn!("no duty desk is attended by somebody who hears; alarms are the police desk's at once");
            }
        }
        let (figures, attended) = (app.shift_figures(), app.desks.attended_by_duty());
        // Whether somebody is there is told at once, figures in their own time.
        let came_or_went = shown.is_some_and(|(_, before)| before != attended);
        if shown != Some((figures, attended)) && (came_or_went || shown_at.elapsed() >= SHOW_EVERY) {
            (shown, shown_at) = (Some((figures, attended)), Instant::now());
            app.response().forget(app.clock.utc());
            app.ring.push([Change::Shift(Arc::new(crate::view::ShiftView::new(&app, &figures)))]);
        }
    }
}

/// When to tell that desks are attended or not.
struct Attendance {
    told: bool,
    absent_since: Option<Instant>,
    began: Instant,
}

impl Attendance {
    fn step(&mut self, attended: bool, now: Instant) -> Option<bool> {
        if attended {
            self.absent_since = None;
            return (!std::mem::replace(&mut self.told, true)).then_some(true);
        }
        let since = *self.absent_since.get_or_insert(now);
        let long_enough = now.duration_since(since) >= PATIENCE && now.duration_since(self.began) >= START;
        (long_enough && std::mem::replace(&mut self.told, false)).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_loaded_again_leaves_no_desk_unattended_and_a_start_is_waited_for() {
        let began = Instant::now();
        let at = |s| began + Duration::from_secs(s);
        let mut desk = Attendance { told: true, absent_since: None, began };
        assert_eq!(desk.step(false, at(0)), None);
        assert_eq!(desk.step(false, at(29)), None, "the hub has just started");
        assert_eq!(desk.step(false, at(30)), Some(false));
        assert_eq!(desk.step(false, at(31)), None, "told once");
        assert_eq!(desk.step(true, at(40)), Some(true));
        assert_eq!(desk.step(false, at(41)), None);
        assert_eq!(desk.step(true, at(43)), None);
        assert_eq!(desk.step(false, at(50)), None);
        assert_eq!(desk.step(false, at(55)), Some(false));
    }
}
