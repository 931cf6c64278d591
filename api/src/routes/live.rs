//! Live view: opened with a reason, shown over a WebSocket, extended by one act, ended by whichever comes first.
//!
//! The socket speaks JSON in text messages and pictures in binary ones. To the viewer: `{"kind":"video","mime",..}` and then
//! fragments of MP4; or `{"kind":"pictures","why"}` and then whole JPEGs; `missed`, `away`, `until`, and at last `end` with the
//! reason. From the viewer nothing but its close.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{
        Path, Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
    routing::{delete, get, post},
};
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use qorgan_domain::{DeviceRef, UtcMs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    cameras::{WhyBody, camera_of, why_of},
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::{App, Ask, Look, StillError},
    seeing::{self, End, Join, NoViewing, Piece, Subject, TERM, Viewing},
};

/// A viewer that takes nothing for so long is gone.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How often a camera that is shown picture by picture is looked at.
const PICTURE_EVERY: Duration = Duration::from_millis(400);
/// A viewer says nothing but its close.
const MAX_MESSAGE: usize = 1024;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(open, show, extend, close))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let right = With(Right::StillOpen);
    vec![
        row(Method::POST, "/api/v1/cameras/{site}/{device}/live", right, post(open)),
        row(Method::GET, "/api/v1/live/{id}", right, get(show)),
        row(Method::POST, "/api/v1/live/{id}/extend", right, post(extend)),
        row(Method::DELETE, "/api/v1/live/{id}", right, delete(close)),
    ]
}

/// An opened viewing.
#[derive(Serialize, ToSchema)]
pub(super) struct Opened {
    /// Names the socket and whatever is done with the viewing.
    id: String,
    /// `site/device`.
    camera: String,
    /// RFC 3339; then it ends unless it is extended.
    until: String,
    /// Length of a term, in seconds.
    term_s: u64,
    /// Number of the alert that is the reason; when it is closed, the viewing ends unless a purpose was stated too.
    alert: Option<i64>,
}

impl Opened {
    pub(super) fn new(viewing: &Viewing) -> Self {
        Self {
            id: viewing.id.clone(),
            camera: viewing.subject.camera().to_string(),
            until: viewing.until.to_string(),
            term_s: TERM.as_secs(),
            alert: viewing.why.alert().map(|id| id.0),
        }
    }
}

/// How it is to be shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowQuery {
    /// True: single pictures, because this browser cannot play the camera's codec.
    #[serde(default)]
    pictures: bool,
}

/// Opens a camera's live view. Needs an open alert of that site or a purpose, and is written to the audit log before the first
/// picture leaves. The pictures come over `GET /api/v1/live/{id}`.
#[utoipa::path(post, path = "/api/v1/cameras/{site}/{device}/live", tag = "live",
    params(("site" = String, Path), ("device" = String, Path)), request_body = WhyBody,
    responses((status = 201, body = Opened), (status = 403, description = "`purpose_required`"), (status = 404),
        (status = 429, description = "`too_many`"), (status = 503, description = "`no_picture`")))]
pub(super) async fn open(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Json(body): Json<WhyBody>,
) -> Result<(StatusCode, Json<Opened>), ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let why = why_of(&app, &camera, body)?;
    if app.live.is_none() {
        return Err(no_picture("This hub has no cameras of its own."));
    }
    let viewing = begin(&app, &session, Subject::Live(camera), why).await?;
    Ok((StatusCode::CREATED, Json(Opened::new(&viewing))))
}

/// Writes a viewing down and opens it.
pub(super) async fn begin(app: &App, session: &Session, subject: Subject, why: seeing::Why) -> Result<Viewing, ApiError> {
    if !app.viewings.has_room(&session.key) {
        let message = "Too many live views are open. Close one and try again.";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message));
    }
    app.audit_by(session, &format!("{}.open", subject.kind()), &subject.text(), Some(&why.text())).await?;
    metrics::counter!("qorgan_viewings_opened_total", "kind" => subject.kind()).increment(1);
    let viewing = Viewing::new(session, subject, why, app.clock.utc());
    app.viewings.open(viewing.clone());
    Ok(viewing)
}

/// The pictures of a viewing, over a WebSocket. Only its own session, from this hub's own page, one socket at a time.
#[utoipa::path(get, path = "/api/v1/live/{id}", tag = "live", params(("id" = String, Path), ShowQuery),
    responses((status = 101), (status = 403, description = "`origin`"), (status = 404), (status = 409, description = "`shown_already`")))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    app.viewings.of(&id, &session.key).ok_or_else(|| ApiError::not_found("viewing"))?;
    from_own_page(&headers)?;
    let upgrade = |error: WebSocketUpgradeRejection| ApiError::new(StatusCode::BAD_REQUEST, "no_websocket", error.to_string());
    let socket = socket.map_err(upgrade)?;
    let join = app.viewings.join(&id, &session.key).map_err(|error| match error {
        NoViewing::Unknown => ApiError::not_found("viewing"),
        NoViewing::Shown => ApiError::new(StatusCode::CONFLICT, "shown_already", "This viewing is shown in another tab."),
    })?;
    let left = { (app.clone(), id.clone()) };
    let failed = move |_| left.0.viewings.leave(&left.1, left.0.clock.utc());
    let socket = socket.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_failed_upgrade(failed);
    Ok(socket.on_upgrade(move |socket| watch(app, join, query.pictures, socket)))
}

/// Another term of 15 minutes from now on, written down like the first.
#[utoipa::path(post, path = "/api/v1/live/{id}/extend", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Opened), (status = 404)))]
pub(super) async fn extend(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Json<Opened>, ApiError> {
    let gone = || ApiError::not_found("viewing");
    let viewing = app.viewings.of(&id, &session.key).ok_or_else(gone)?;
    let action = format!("{}.extend", viewing.subject.kind());
    app.audit_by(&session, &action, &viewing.subject.text(), Some(&viewing.why.text())).await?;
    app.viewings.extend(&id, app.clock.utc()).ok_or_else(gone)?;
    let viewing = app.viewings.of(&id, &session.key).ok_or_else(gone)?;
    Ok(Json(Opened::new(&viewing)))
}

/// Ends a viewing. One that has ended already is no error.
#[utoipa::path(delete, path = "/api/v1/live/{id}", tag = "live", params(("id" = String, Path)), responses((status = 204)))]
pub(super) async fn close(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<String>) -> StatusCode {
    if app.viewings.of(&id, &session.key).is_some() {
        seeing::end(&app, &id, End::Closed).await;
    }
    StatusCode::NO_CONTENT
}

/// A page of another origin may open sockets with this browser's cookie; `SameSite` stops most, this the rest.
fn from_own_page(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        // No browser: it has no page that could be somebody else's.
        (None, _) => Ok(()),
        (Some(origin), Some(host)) if origin.split_once("://").is_some_and(|(_, own)| own.eq_ignore_ascii_case(host)) => Ok(()),
        _ => Err(ApiError::new(StatusCode::FORBIDDEN, "origin", "Live views are shown on this hub's own page.")),
    }
}

pub(super) fn no_picture(why: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_picture", why)
}

/// Why the pictures of a camera come one by one.
fn singly(app: &App, camera: &DeviceRef, asked: bool) -> Option<&'static str> {
    if !app.privacy_of(camera).is_empty() {
        return Some("privacy_masks");
    }
    asked.then_some("codec")
}

async fn watch(app: App, join: Join, pictures: bool, mut socket: WebSocket) {
    let id = join.viewing.id.clone();
    let ended = run(&app, join, pictures, &mut socket).await;
    match ended {
        // The person closed the tab or the tile.
        Leave::Closed => seeing::end(&app, &id, End::Closed).await,
        Leave::Finished => {
            seeing::end(&app, &id, End::Finished).await;
            let _ = tell(&mut socket, &json!({ "kind": "end", "why": End::Finished.as_str() })).await;
        }
        Leave::Lost => app.viewings.leave(&id, app.clock.utc()),
        Leave::Ended => {}
    }
    let _ = tokio::time::timeout(SEND_WITHIN, socket.send(Message::Close(Some(CloseFrame { code: 1000, reason: "".into() })))).await;
}

/// How a socket ended.
enum Leave {
    /// By the viewer.
    Closed,
    /// The line broke, or the viewer takes nothing.
    Lost,
    /// The viewing is over.
    Ended,
    /// There is nothing more to show.
    Finished,
}

async fn run(app: &App, mut join: Join, pictures: bool, socket: &mut WebSocket) -> Leave {
    let camera = join.viewing.subject.camera().clone();
    let (mut pieces, why) = match source(app, &join.viewing.subject, pictures) {
        Ok(source) => source,
        Err(message) => {
            let _ = tell(socket, &json!({ "kind": "withheld", "message": message })).await;
            return Leave::Finished;
        }
    };
    if let Some(why) = why
        && tell(socket, &json!({ "kind": "pictures", "why": why })).await.is_err()
    {
        return Leave::Lost;
    }
    loop {
        tokio::select! {
            changed = join.told.changed() => {
                let told = *join.told.borrow_and_update();
                let end = told.end.or(changed.is_err().then_some(End::HubStopped));
                let message = match end {
                    Some(end) => json!({ "kind": "end", "why": end.as_str() }),
                    None => json!({ "kind": "until", "until": told.until.to_string() }),
                };
                if tell(socket, &message).await.is_err() && end.is_none() {
                    return Leave::Lost;
                }
                if end.is_some() {
                    return Leave::Ended;
                }
            }
            piece = pieces.next() => match piece {
                Some(Piece::NotPlayable(_)) => {
                    if tell(socket, &json!({ "kind": "pictures", "why": "codec" })).await.is_err() {
                        return Leave::Lost;
                    }
                    pieces = one_by_one(app.clone(), camera.clone());
                }
                Some(piece) => if put(socket, piece).await.is_err() {
                    return Leave::Lost;
                },
                None => return Leave::Finished,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Close(Some(frame)))) if frame.code == 1000 => return Leave::Closed,
                // A page that goes away says 1001; a line that breaks says nothing.
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return Leave::Lost,
                Some(Ok(_)) => {}
            },
        }
    }
}

type Pieces = BoxStream<'static, Piece>;

/// Where the pictures come from, and if they come one by one, why.
fn source(app: &App, subject: &Subject, pictures: bool) -> Result<(Pieces, Option<&'static str>), String> {
    let camera = subject.camera();
    match subject {
        Subject::Live(_) => match (singly(app, camera, pictures), &app.live) {
            (Some(why), _) => Ok((one_by_one(app.clone(), camera.clone()), Some(why))),
            (None, Some(live)) => Ok((live(camera.clone()), None)),
            (None, None) => Err("This hub has no cameras of its own.".into()),
        },
        Subject::Clip(_, alert) => {
            let clips = app.clips.as_ref().ok_or("This hub keeps no clips.")?;
            let (hub, of) = (app.clone(), camera.clone());
            let lifted = Box::new(move || super::cameras::lifts_mask(&hub, &of));
            Ok(((clips.play)(*alert, camera.clone(), lifted, app.privacy_of(camera)), None))
        }
        Subject::Recording { token, from, .. } => {
            let recordings = app.recordings.as_ref().ok_or("This hub has no cameras of its own.")?;
            let setup = app.cameras.setup(camera).ok_or("The camera was removed.")?;
            let (hub, of, from) = (app.clone(), camera.clone(), *from);
            let lifted = Box::new(move || super::cameras::lifts_mask_since(&hub, &of, from + super::recordings::LIFTED_BEFORE));
            Ok(((recordings.play)(setup, token.clone(), from, lifted, app.privacy_of(camera)), None))
        }
    }
}

/// A camera's key frames as pictures, privacy masks burned in.
fn one_by_one(app: App, camera: DeviceRef) -> Pieces {
    let state = (app, camera, None::<UtcMs>, false);
    Box::pin(futures::stream::unfold(state, |(app, camera, mut after, mut away)| async move {
        loop {
            let ask = Ask { camera: camera.clone(), look: Look::Open, after, privacy: app.privacy_of(&camera) };
            let stills = app.stills.as_ref()?;
            match stills(ask).await {
                Ok(Some(still)) => {
                    after = Some(still.at);
                    return Some((Piece::Picture(Bytes::from(still.jpeg)), (app, camera, after, false)));
                }
                Ok(None) => {}
                Err(error) if !away => {
                    away = true;
                    let code = if error == StillError::NoFrame { "no_picture" } else { "withheld" };
                    return Some((Piece::Away(code), (app, camera, after, away)));
                }
                Err(_) => {}
            }
            tokio::time::sleep(PICTURE_EVERY).await;
        }
    }))
}

async fn put(socket: &mut WebSocket, piece: Piece) -> Result<(), ()> {
    match piece {
        Piece::Init { mime, data, size_px } => {
            tell(socket, &json!({ "kind": "video", "mime": mime, "width": size_px.0, "height": size_px.1 })).await?;
            send(socket, Message::Binary(data)).await
        }
        Piece::Media(data) | Piece::Picture(data) => send(socket, Message::Binary(data)).await,
        Piece::Missed(count) => tell(socket, &json!({ "kind": "missed", "count": count })).await,
        Piece::Away(fault) => tell(socket, &json!({ "kind": "away", "fault": fault })).await,
        Piece::Singly(why) => tell(socket, &json!({ "kind": "pictures", "why": why })).await,
        Piece::NotPlayable(_) => Ok(()),
    }
}

async fn tell(socket: &mut WebSocket, message: &Value) -> Result<(), ()> {
    send(socket, Message::Text(message.to_string().into())).await
}

/// Errors: the line is gone, or the viewer takes nothing.
async fn send(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    if let Message::Binary(data) = &message {
        metrics::counter!("qorgan_live_bytes_total").increment(data.len() as u64);
    }
    match tokio::time::timeout(SEND_WITHIN, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let ask = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "hub.example:8443".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            from_own_page(&headers).is_ok()
        };
        assert!(ask(None) && ask(Some("https://hub.example:8443")) && ask(Some("https://HUB.example:8443")));
        for other in ["https://evil.example", "https://hub.example", "https://hub.example:8443.evil.example", "null"] {
            assert!(!ask(Some(other)), "{other}");
        }
    }
}
