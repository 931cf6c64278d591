//! Server-sent events: a snapshot, then every change, several of them in one frame.
//!
//! A client that comes back with the cursor it had gets what it missed; one that was away for longer than
//! the ring remembers, or through a restart, gets a new snapshot. Alerts go out at once; counts wait for company, and of several counts of one camera
//! the last is told, so that no number of them delays an alert.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use qorgan_alerts::{life, ring::Cursor};
use qorgan_domain::{AlertId, Role};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::cameras::sees_site;
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::{App, Change},
    view::{DeskView, DesksView, ShiftView},
};

/// Cameras are told at most this often. An alert never waits for them.
const GATHER: Duration = Duration::from_millis(150);
/// The same while more than [`MANY`] of them change in that time: nobody reads faster.
const GATHER_MANY: Duration = Duration::from_secs(1);
const MANY: usize = 256;
/// Alerts of a snapshot between which others get their turn.
const BREATH: usize = 256;
/// Comment that keeps proxies from closing a quiet stream, and the pace at which the session is looked at.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Most alerts in one frame.
const BATCH: usize = 512;

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    /// Cursor of the last frame; the header `Last-Event-ID` counts first.
    cursor: Option<String>,
}

/// Whether the test tone was heard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SoundTest {
    heard: bool,
}

/// Live changes as server-sent events: `snapshot`, `changes`, and `end` when the session has ended.
#[utoipa::path(get, path = "/api/v1/stream", tag = "stream", params(StreamQuery), responses((status = 200, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Response {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned).or(query.cursor);
    let cursor = last.and_then(|text| text.parse::<Cursor>().ok());
    let desk = Right::DeskSound.roles().contains(&session.role).then(|| app.desks.attend(&session, app.clock.utc().to_string()));
    if desk.is_some() {
        app.ring.push([Change::Desks]);
    }
    let cameras = (cursor.clone(), Instant::now());
    let reader = Reader { app, session, cursor, cameras, _desk: desk, shown: BTreeSet::new(), ended: false };
    Sse::new(frames(reader)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Reader {
    app: App,
    session: Session,
    cursor: Option<Cursor>,
    /// Where cameras go on, and when at the earliest.
    cameras: (Option<Cursor>, Instant),
    _desk: Option<Attendance>,
    /// Alerts this client shows: one that it may not see any more (a patrol taken off) is taken from its screen.
    shown: BTreeSet<AlertId>,
    ended: bool,
}

fn frames(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        if reader.ended {
            return None;
        }
        let event = reader.next().await;
        Some((Ok(event), reader))
    })
}

impl Reader {
    async fn next(&mut self) -> Event {
        loop {
            let Some(cursor) = self.cursor.clone() else { return self.snapshot().await };
            let (cameras, not_before) = (self.cameras.0.clone().unwrap_or_else(|| cursor.clone()), self.cameras.1);
            let moved = async {
                self.app.ring.latest_changed(&cameras).await;
                tokio::time::sleep_until(not_before).await;
            };
            let waited = tokio::select! {
                biased;
                () = self.app.ring.changed(&cursor) => true,
                () = moved => true,
                () = tokio::time::sleep(KEEP_ALIVE) => false,
            };
            if !self.app.sessions.stands(&self.session.key).await {
                self.ended = true;
                return Event::default().event("end").data("{}");
            }
            if !waited {
                continue;
            }
            let Ok((mut changes, next)) = self.app.ring.since(&cursor, BATCH) else {
                self.cursor = None;
                continue;
            };
            self.cursor = Some(next.clone());
            let mut place = cameras;
            if Instant::now() >= not_before {
                let (moved, until) = self.app.ring.latest_since(&place);
                let pause = if moved.len() > MANY { GATHER_MANY } else { GATHER };
                if !moved.is_empty() {
                    self.cameras.1 = Instant::now() + pause;
                }
                changes.extend(moved);
                place = until;
            }
            self.cameras.0 = Some(place.clone());
            // Whoever comes back with this gets again what it may have had, and misses nothing.
            let resume = next.earlier(&place);
            let (texts, others) = self.for_this_session(&changes);
            if !texts.is_empty() || !others.is_empty() {
                return self.changes(&resume, &texts, &others);
            }
        }
    }

    async fn snapshot(&mut self) -> Event {
        // The cursor first: what happens in between is sent once more, never lost.
        let cursor = self.app.ring.cursor();
        self.cursor = Some(cursor.clone());
        self.cameras.0 = Some(cursor.clone());
        let (now, viewer) = (self.app.clock.utc(), self.session.viewer());
        self.shown.clear();
        let mut alerts = String::new();
        let open = self.app.shown.of(self.app.engine.open_alerts());
        for some in open.chunks(BREATH) {
            for alert in some.iter().filter(|alert| life::visible(alert, &viewer)) {
                self.shown.insert(alert.id);
                alerts.push_str(if alerts.is_empty() { "" } else { "," });
                alerts.push_str(&alert.json(&self.session));
            }
            tokio::task::yield_now().await;
        }
        let cameras = match Right::CamerasRead.roles().contains(&self.session.role) {
            true => self.app.cameras.all(now).into_iter().filter(|c| sees_site(&self.session, &c.site)).collect(),
            false => Vec::new(),
        };
        let mut body = json!({ "cameras": cameras, "desks": self.app.desks.view() });
        if Right::Shift.roles().contains(&self.session.role) {
            body["shift"] = json!(ShiftView::new(&self.app, &self.app.shift_figures()));
        }
        if Right::UnitsRead.roles().contains(&self.session.role) {
            body["units"] = json!(super::dispatch::live_units(&self.app));
        }
        self.frame("snapshot", &cursor, &[("alerts", &format!("[{alerts}]"))], body)
    }

    /// What this session may see of the changes, as JSON texts of alerts and cameras, and the rest; of several changes of one
    /// thing the last.
    fn for_this_session(&mut self, changes: &[Change]) -> (Vec<String>, Vec<Value>) {
        let (viewer, role) = (self.session.viewer(), self.session.role);
        let mut alerts = BTreeMap::new();
        let mut cameras = BTreeMap::new();
        let mut units = BTreeMap::new();
        let (mut gone, mut cameras_gone) = (BTreeSet::new(), BTreeSet::new());
        let (mut areas, mut desks, mut devices, mut drills, mut tension, mut shift) = (false, false, false, false, false, None);
        for change in changes {
            match change {
                Change::Alert(alert) if life::visible(alert, &viewer) => {
                    gone.remove(&alert.id);
                    self.shown.insert(alert.id);
                    alerts.insert(alert.id, alert);
                }
                Change::Alert(alert) => {
                    alerts.remove(&alert.id);
                    if self.shown.remove(&alert.id) {
                        gone.insert(alert.id);
                    }
                }
                Change::Camera(view) if Right::CamerasRead.roles().contains(&role) && sees_site(&self.session, &view.site) => {
                    cameras_gone.remove(&view.id);
                    cameras.insert(&view.id, view);
                }
                Change::CameraGone(id) if Right::CamerasRead.roles().contains(&role) && sees_site(&self.session, id.site.as_str()) => {
                    cameras.remove(&id.to_string());
                    cameras_gone.insert(id.to_string());
                }
                Change::Unit(view) if Right::UnitsRead.roles().contains(&role) => {
                    units.insert(view.id.clone(), view);
                }
                Change::Areas => areas = true,
                Change::Desks => desks = true,
                Change::Shift(view) if Right::Shift.roles().contains(&role) => shift = Some(view),
                Change::Devices => devices = true,
                Change::Drills => drills = true,
                Change::Tension => tension = true,
                Change::Camera(_) | Change::CameraGone(_) | Change::Shift(_) | Change::Unit(_) => {}
            }
        }
        let mut texts: Vec<String> = alerts.into_values().map(|a| format!("{{\"alert\":{}}}", a.json(&self.session))).collect();
        texts.extend(cameras.into_values().map(|c| format!("{{\"camera\":{}}}", c.json())));
        let mut out: Vec<Value> = gone.into_iter().map(|id| json!({ "gone": id.0 })).collect();
        out.extend(cameras_gone.into_iter().map(|id| json!({ "camera_gone": id })));
        out.extend(units.into_values().map(|u| json!({ "unit": u })));
        if areas {
            out.push(json!({ "areas": true }));
        }
        if devices && Right::RegisterRead.roles().contains(&role) {
            out.push(json!({ "devices": true }));
        }
        if drills && Right::DrillsRead.roles().contains(&role) {
            out.push(json!({ "drills": true }));
        }
        if tension && Right::TensionRead.roles().contains(&role) {
            out.push(json!({ "tension": true }));
        }
        if desks && Right::DeskSound.roles().contains(&role) {
            out.push(json!({ "desks": self.app.desks.view() }));
        }
        if let Some(shift) = shift {
            out.push(json!({ "shift": shift }));
        }
        (texts, out)
    }

    fn changes(&self, cursor: &Cursor, texts: &[String], others: &[Value]) -> Event {
        let mut list = String::with_capacity(texts.iter().map(|text| text.len() + 1).sum::<usize>() + 64);
        for text in texts.iter().map(|text| text.as_str().into()).chain(others.iter().map(|other| Cow::Owned(other.to_string()))) {
            list.push(if list.is_empty() { '[' } else { ',' });
            list.push_str(&text);
        }
        list.push(']');
        self.frame("changes", cursor, &[("changes", &list)], json!({}))
    }

    /// A frame: fields that are JSON already, then the others.
    fn frame(&self, name: &str, cursor: &Cursor, ready: &[(&str, &str)], mut body: Value) -> Event {
        body["cursor"] = cursor.to_string().into();
        body["now"] = self.app.clock.utc().to_string().into();
        let mut text = String::with_capacity(ready.iter().map(|(_, json)| json.len() + 16).sum::<usize>() + 128);
        text.push('{');
        for (field, json) in ready {
            text.extend(["\"", field, "\":", json, ","]);
        }
        text.push_str(&body.to_string()[1..]);
        Event::default().event(name).id(cursor.to_string()).data(text)
    }
}

/// The result of a desk's sound test. A desk that did not hear it shows that it is deaf.
#[utoipa::path(post, path = "/api/v1/desk/sound-test", tag = "stream", request_body = SoundTest, responses((status = 204)))]
pub(super) async fn sound_test(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(test): Json<SoundTest>,
) -> Result<StatusCode, ApiError> {
    app.desks.tested(&session.key, test.heard);
    let result = if test.heard { "heard" } else { "not heard" };
    app.audit_by(&session, "desk.sound_test", session.user.as_str(), Some(result)).await?;
    app.ring.push([Change::Desks]);
    Ok(StatusCode::NO_CONTENT)
}

/// Who sits at a desk: every connected page of a role that answers alerts.
#[derive(Clone, Default)]
pub struct Desks(Arc<DesksInner>);

#[derive(Default)]
struct DesksInner {
    next: AtomicU64,
    state: Mutex<DesksState>,
}

#[derive(Default)]
struct DesksState {
    /// Connected pages: session key and what is shown of it.
    pages: BTreeMap<u64, (String, DeskView)>,
    /// Results of sound tests by session key; they outlive a reconnection.
    tests: BTreeMap<String, bool>,
}

/// Ends when the page's connection does.
struct Attendance {
    desks: Desks,
    page: u64,
}

impl Desks {
    fn attend(&self, session: &Session, since: String) -> Attendance {
        let page = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sound_ok = state.tests.get(&session.key).copied();
        let view = DeskView { user: session.user.to_string(), role: session.role.as_str(), sound_ok, since };
        state.pages.insert(page, (session.key.clone(), view));
        Attendance { desks: self.clone(), page }
    }

    fn tested(&self, key: &str, heard: bool) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Sessions end; their results need not stay for ever.
        if state.tests.len() > 10_000 {
            state.tests.clear();
        }
        state.tests.insert(key.to_owned(), heard);
        for (page_key, view) in state.pages.values_mut() {
            if page_key == key {
                view.sound_ok = Some(heard);
            }
        }
    }

    /// Attended desks, one line a session.
    pub fn view(&self) -> DesksView {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let by_session: BTreeMap<&String, &DeskView> = state.pages.values().map(|(key, view)| (key, view)).collect();
        DesksView { attended: by_session.into_values().cloned().collect() }
    }

    /// Desks of the control centre that are attended by somebody who hears.
    pub fn attended_duty_desks(&self) -> usize {
        let duty = [Role::DutyOfficer.as_str(), Role::ShiftLead.as_str()];
        self.view().attended.iter().filter(|d| duty.contains(&d.role) && d.sound_ok == Some(true)).count()
    }

    /// Whether there is one.
    pub fn attended_by_duty(&self) -> bool {
        self.attended_duty_desks() > 0
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.desks.0.state.lock().unwrap_or_else(PoisonError::into_inner).pages.remove(&self.page);
    }
}
