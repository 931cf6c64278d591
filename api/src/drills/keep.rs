//! Follows the alerts of running drills, starts and ends drills by the clock, and tells fusion which are on.

use std::time::Duration;

use qorgan_alerts::store::{Drill, DrillResult};
use qorgan_domain::{
    Event, UtcMs,
    alert::{Alert, CloseReason},
};
use tokio_util::sync::CancellationToken;

use super::{drill_of, judge, note, windows};
use crate::{
    error::chain,
    hub::{App, Change},
};

/// Longest sleep: a wall clock that was set must not make a drill endless.
const LONGEST: Duration = Duration::from_secs(20);
/// Pause after the store did not answer.
const RETRY: Duration = Duration::from_secs(2);
/// Changes taken at once.
const BATCH: usize = 1_024;

/// Runs until cancelled. Whoever adds or ends a drill rings `app.drills`.
pub async fn keep(app: App, cancel: CancellationToken) {
    loop {
        match follow(&app, &cancel).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(error = chain(&error), "drills are not followed for a moment");
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }
}

async fn follow(app: &App, cancel: &CancellationToken) -> Result<(), qorgan_alerts::Error> {
    // The cursor before the picture: nothing is missed in between.
    let mut cursor = app.ring.cursor();
    let mut open = reload(app).await?;
    loop {
        let now = app.clock.utc();
        let due = open.iter().map(|d| if d.started_at.is_none() { d.scheduled_at } else { d.until_at }).min();
        let pause = due.map_or(LONGEST, |due| Duration::from_millis(u64::try_from(due.ms_since(now)).unwrap_or(0)).min(LONGEST));
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = app.ring.changed(&cursor) => match app.ring.since(&cursor, BATCH) {
                Ok((changes, next)) => {
                    cursor = next;
                    for change in &changes {
                        if let Change::Alert(alert) = change {
                            alert_changed(app, &mut open, alert).await?;
                        }
                    }
                }
                Err(_) => {
                    cursor = app.ring.cursor();
                    open = reload(app).await?;
                }
            },
            () = app.drills.notified() => open = reload(app).await?,
            () = tokio::time::sleep(pause) => by_the_clock(app, &mut open).await?,
        }
    }
}

/// The drills that have not ended, brought up to date from the alerts that are open, and told to fusion.
async fn reload(app: &App) -> Result<Vec<Drill>, qorgan_alerts::Error> {
    let mut open = app.store.open_drills().await?;
    for drill in &mut open {
        let mut news = false;
        for alert in &app.engine.open_alerts() {
            news |= note(drill, alert);
        }
        for id in drill.presses.iter().map(|p| p.alert).collect::<Vec<_>>() {
            if let Some((alert, _)) = app.store.alert(id).await? {
                news |= note(drill, &alert);
            }
        }
        if news {
            app.store.save_drill(drill).await?;
        }
    }
    by_the_clock(app, &mut open).await?;
    tell(app, &open).await?;
    Ok(open)
}

async fn tell(app: &App, open: &[Drill]) -> Result<(), qorgan_alerts::Error> {
    app.engine.tell(Event::Drills(windows(open, app.clock.utc()))).await
}

/// Starts what is due, ends what is over or complete.
async fn by_the_clock(app: &App, open: &mut Vec<Drill>) -> Result<(), qorgan_alerts::Error> {
    let now = app.clock.utc();
    let mut changed = false;
    for drill in open.iter_mut() {
        if drill.started_at.is_none() && drill.scheduled_at <= now {
            drill.started_at = Some(now.min(drill.until_at));
            app.audit("system/drills", "system", "drill.start", &format!("drill/{}", drill.id), Some(drill.site.as_str())).await?;
            app.store.save_drill(drill).await?;
            changed = true;
        }
        let passed = drill.started_at.is_some() && judge(drill, now) == DrillResult::Passed;
        if passed || drill.until_at <= now {
            end(app, drill, now.min(drill.until_at)).await?;
            changed = true;
        }
    }
    if changed {
        open.retain(|d| d.result.is_none());
        tell(app, open).await?;
        app.ring.push([Change::Drills]);
    }
    Ok(())
}

async fn end(app: &App, drill: &mut Drill, at: UtcMs) -> Result<(), qorgan_alerts::Error> {
    let result = judge(drill, at);
    let subject = format!("drill/{}", drill.id);
    app.audit("system/drills", "system", &format!("drill.{}", result.as_str()), &subject, Some(drill.site.as_str())).await?;
    let revised = drill.result.is_some();
    drill.result = Some(result);
    drill.ended_at = Some(at);
    if revised {
        return app.store.revise_drill(drill).await;
    }
    // Somebody who ended it at the same moment has said how.
    app.store.save_drill(drill).await.map(drop)
}

async fn alert_changed(app: &App, open: &mut Vec<Drill>, alert: &Alert) -> Result<(), qorgan_alerts::Error> {
    let Some(id) = drill_of(alert) else { return Ok(()) };
    if let Some(drill) = open.iter_mut().find(|d| d.id == id) {
        if note(drill, alert) {
            app.store.save_drill(drill).await?;
            app.ring.push([Change::Drills]);
            by_the_clock(app, open).await?;
        }
        return Ok(());
    }
    // The desk's verdict may come after the window: a press without the test flag counts from then on.
    if alert.close_reason != Some(CloseReason::Drill) {
        return Ok(());
    }
    let Some(mut drill) = app.store.drill(id).await? else { return Ok(()) };
    let over = matches!(drill.result, Some(DrillResult::Failed | DrillResult::Missed));
    if over && note(&mut drill, alert) {
        let at = drill.ended_at.unwrap_or(drill.until_at);
        end(app, &mut drill, at).await?;
        app.ring.push([Change::Drills]);
    }
    Ok(())
}
