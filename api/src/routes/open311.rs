//! Open311 GeoReport v2: discovery, services, requests, tokens; JSON and XML.
//!
//! What the standard leaves to the server is decided for the resident: no description, address, name or contact is ever given back;
//! a position is the middle of a cell of 300 m; times of receipt are whole hours; categories marked `open311 = false` are not listed.
//! The number is the hub's own, not the reference that opens the status page; whoever submits gets reference and code as the
//! `service_notice`.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Form, Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use qorgan_alerts::{
    requests::{State as Stands, snapped},
    store::{Channel, Request, RequestFilter},
};
use qorgan_domain::UtcMs;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{Access::Anyone, Route, row};
use crate::{
    hub::App,
    requests::{
        intake::{self, Contact, Submission},
        settings::{Category, Datatype},
        words,
    },
};

/// Most rows of a page, and the standard's own limit of an answer.
const MOST: u32 = 1_000;
/// Deepest row that is reached by pages; beyond it a search by dates is quicker for both.
const DEEPEST: u32 = 10_000;
/// Without dates the last ninety days are listed, as the standard says.
const USUAL_MS: i64 = 90 * 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(collection, service, submit, request, token))]
pub(super) struct Doc;

/// Rows of the table. `{file}` is `discovery`, `services` or `requests` with its format, as in `services.json`; `{id}` ends with a format too.
pub(super) fn rows() -> Vec<Route> {
    vec![
        row(Method::GET, "/open311/v2/{file}", Anyone, get(collection)),
        row(Method::POST, "/open311/v2/{file}", Anyone, post(submit)),
        row(Method::GET, "/open311/v2/services/{id}", Anyone, get(service)),
        row(Method::GET, "/open311/v2/requests/{id}", Anyone, get(request)),
        row(Method::GET, "/open311/v2/tokens/{id}", Anyone, get(token)),
    ]
}

type Fields = Vec<(String, String)>;

/// The two formats of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
}

/// An error of the standard: status, and what it says.
pub(super) struct Fault(Format, StatusCode, String);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!([{ "code": self.1.as_u16(), "description": self.2 }]);
        let mut response = answer(self.0, "errors", "error", &body);
        *response.status_mut() = self.1;
        response
    }
}

fn format(word: &str) -> Result<Format, Fault> {
    match word {
        "json" => Ok(Format::Json),
        "xml" => Ok(Format::Xml),
        _ => Err(Fault(Format::Json, StatusCode::NOT_FOUND, "format not supported: ask for .json or .xml".into())),
    }
}

/// `17.json`: id and format.
fn id_and_format(file: &str) -> Result<(&str, Format), Fault> {
    let (id, end) = file.rsplit_once('.').unwrap_or((file, ""));
    Ok((id, format(end)?))
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// One jurisdiction is served: another one is not here.
fn jurisdiction(app: &App, format: Format, fields: &Fields) -> Result<(), Fault> {
    match (&app.requests.settings.open311.jurisdiction, field(fields, "jurisdiction_id")) {
        (Some(own), Some(asked)) if own != asked => Err(Fault(format, StatusCode::NOT_FOUND, "jurisdiction_id was not found".into())),
        _ => Ok(()),
    }
}

/// The name of the key that was shown.
fn key<'a>(app: &'a App, format: Format, fields: &Fields) -> Result<&'a str, Fault> {
    let Some(shown) = field(fields, "api_key") else {
        return Err(Fault(format, StatusCode::FORBIDDEN, "api_key was not provided".into()));
    };
    app.requests.key_name(shown).ok_or_else(|| Fault(format, StatusCode::FORBIDDEN, "api_key is not valid".into()))
}

fn may_list(app: &App, format: Format, fields: &Fields) -> Result<(), Fault> {
    if app.requests.settings.open311.list_needs_key { key(app, format, fields).map(drop) } else { Ok(()) }
}

fn language(fields: &Fields) -> &str {
    field(fields, "locale").or(field(fields, "lang")).map_or("ru", |l| l.get(..2).unwrap_or(l))
}

fn broken(format: Format) -> impl Fn(qorgan_alerts::Error) -> Fault {
    move |error| {
        tracing::error!(error = crate::error::chain(&error), "an Open311 request failed in the store");
        Fault(format, StatusCode::SERVICE_UNAVAILABLE, "the store did not answer; try again".into())
    }
}

/// `discovery`: where the endpoints are. `services`: the categories that can be submitted and are listed. `requests`: requests without what
/// was written, newest first; filters `service_request_id`, `service_code`, `start_date`, `end_date`, `status`, `page`, `page_size`.
#[utoipa::path(get, path = "/open311/v2/{file}", tag = "open311", params(("file" = String, Path)),
    responses((status = 200), (status = 400), (status = 403), (status = 404)))]
pub(super) async fn collection(State(app): State<App>, Path(file): Path<String>, Query(fields): Query<Fields>) -> Result<Response, Fault> {
    let (what, format) = id_and_format(&file)?;
    match what {
        "discovery" => discovery(&app, format).await,
        "services" => services(&app, format, &fields),
        "requests" => requests(&app, format, &fields).await,
        _ => Err(Fault(format, StatusCode::NOT_FOUND, "there is no such resource".into())),
    }
}

async fn discovery(app: &App, format: Format) -> Result<Response, Fault> {
    let changeset = app.store.meta("hub.since").await.map_err(broken(format))?;
    let body = json!({
        "changeset": changeset,
        "contact": app.config.hub.name,
        "key_service": "Ask the administrator of this hub for an api_key.",
        "endpoints": [{
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": "/open311/v2",
            "changeset": changeset,
            "type": if app.config.hub.demo_logins { "test" } else { "production" },
            "formats": ["text/xml", "application/json"],
        }],
    });
    Ok(answer(format, "discovery", "endpoint", &body))
}

fn services(app: &App, format: Format, fields: &Fields) -> Result<Response, Fault> {
    jurisdiction(app, format, fields)?;
    let (settings, language) = (&app.requests.settings, language(fields));
    let group = |id: &str| settings.groups.iter().find(|g| g.id == id).map(|g| words::pick(&g.name, language).to_owned());
    let service = |c: &Category| {
        json!({
            "service_code": c.id, "service_name": words::pick(&c.name, language), "description": words::pick(&c.hint, language),
            "metadata": !c.attributes.is_empty(), "type": "realtime", "keywords": c.service, "group": group(&c.group),
        })
    };
    let body = Value::Array(settings.categories.iter().filter(|c| c.open311).map(service).collect());
    Ok(answer(format, "services", "service", &body))
}

/// The questions of a category.
#[utoipa::path(get, path = "/open311/v2/services/{id}", tag = "open311", params(("id" = String, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn service(State(app): State<App>, Path(file): Path<String>, Query(fields): Query<Fields>) -> Result<Response, Fault> {
    let (id, format) = id_and_format(&file)?;
    jurisdiction(&app, format, &fields)?;
    let category = app.requests.settings.category(id).filter(|c| c.open311);
    let category = category.ok_or_else(|| Fault(format, StatusCode::NOT_FOUND, "service_code was not found".into()))?;
    let language = language(&fields);
    let attributes = category.attributes.iter().zip(1..).map(|(a, order): (_, u32)| {
        let values: Vec<Value> = a.values.iter().map(|v| json!({ "key": v.key, "name": words::pick(&v.name, language) })).collect();
        json!({
            "variable": true, "code": a.code, "datatype": a.datatype, "required": a.required, "datatype_description": datatype_hint(a.datatype),
            "order": order, "description": words::pick(&a.name, language), "values": values,
        })
    });
    let body = json!({ "service_code": category.id, "attributes": attributes.collect::<Vec<_>>() });
    Ok(answer(format, "service_definition", "attribute", &body))
}

fn datatype_hint(datatype: Datatype) -> Option<&'static str> {
    match datatype {
        Datatype::Datetime => Some("RFC 3339, such as 2026-11-22T10:00:00Z"),
        Datatype::Number => Some("a decimal number"),
        _ => None,
    }
}

/// Submits a request; needs a key.
#[utoipa::path(post, path = "/open311/v2/{file}", tag = "open311", params(("file" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201), (status = 400), (status = 403), (status = 404), (status = 429)))]
pub(super) async fn submit(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(file): Path<String>,
    Query(query): Query<Fields>,
    Form(mut fields): Form<Fields>,
) -> Result<Response, Fault> {
    let (what, format) = id_and_format(&file)?;
    if what != "requests" {
        return Err(Fault(format, StatusCode::NOT_FOUND, "there is no such resource".into()));
    }
    // Some clients put the key and the jurisdiction into the address.
    fields.extend(query.into_iter().filter(|(name, _)| ["api_key", "jurisdiction_id"].contains(&name.as_str())));
    jurisdiction(&app, format, &fields)?;
    let by = key(&app, format, &fields)?.to_owned();
    let wait =
        |left: std::time::Duration| Fault(format, StatusCode::TOO_MANY_REQUESTS, format!("too many; wait {} s", left.as_secs().max(1)));
    app.requests.take_intake(peer.ip(), app.clock.instant()).map_err(wait)?;
    let submission = submission(&fields).map_err(|message| Fault(format, StatusCode::BAD_REQUEST, message))?;
    if app.requests.settings.category(&submission.category).is_none_or(|c| !c.open311) {
        return Err(Fault(format, StatusCode::NOT_FOUND, "service_code was not found".into()));
    }
    let taken = intake::take(&app, submission).await.map_err(|e| {
        let status = if e.status.is_server_error() { e.status } else { StatusCode::BAD_REQUEST };
        Fault(format, status, e.message)
    })?;
    if !taken.replayed {
        let subject = format!("request/{}", taken.request.id);
        app.audit(&format!("open311/{by}"), "program", "request.add", &subject, None).await.map_err(broken(format))?;
    }
    let request = &taken.request;
    let body = if app.requests.settings.open311.tokens {
        json!([{ "token": app.requests.keys.token(request.id) }])
    } else {
        let code = app.requests.keys.code(&request.reference);
        let answer_by = crate::requests::when(request.standing.answer_by, app.requests.offset_min);
        let mut notice = words::notice(&request.reference.to_string(), &code, &answer_by);
        if !request.masked.is_empty() {
            let masked: Vec<&str> = request.masked.iter().map(|m| m.as_str()).collect();
            notice.push_str(&format!(" [-: {}]", masked.join(", ")));
        }
        json!([{ "service_request_id": request.id.to_string(), "service_notice": notice, "account_id": null }])
    };
    let mut response = answer(format, "service_requests", "request", &body);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn submission(fields: &Fields) -> Result<Submission, String> {
    let needed = |name: &str| field(fields, name).map(str::to_owned).ok_or_else(|| format!("{name} was not provided"));
    let number = |name: &str| match field(fields, name) {
        Some(text) => text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| format!("{name} is no number")),
        None => Err(format!("{name} was not provided: a place in words alone cannot be found")),
    };
    let owned = |name: &str| field(fields, name).map(str::to_owned);
    let category = needed("service_code")?;
    let names: Vec<String> = [owned("first_name"), owned("last_name")].into_iter().flatten().collect();
    let contact = Contact { name: (!names.is_empty()).then(|| names.join(" ")), phone: owned("phone"), email: owned("email") };
    let attributes = fields.iter().filter_map(|(name, value)| {
        let code = name.strip_prefix("attribute[")?.trim_end_matches("[]").strip_suffix(']')?;
        Some((code.to_owned(), value.clone()))
    });
    Ok(Submission {
        category,
        text: needed("description")?,
        position: [number("lat")?, number("long")?],
        place: owned("address_string"),
        language: owned("locale")
            .and_then(|l| l.get(..2).map(str::to_owned))
            .filter(|l| ["kk", "ru", "en"].contains(&l.as_str()))
            .unwrap_or_else(|| "ru".into()),
        contact: Some(contact),
        attributes: attributes.collect(),
        key: owned("idempotency_key"),
        channel: Channel::Open311,
        by: None,
    })
}

async fn requests(app: &App, format: Format, fields: &Fields) -> Result<Response, Fault> {
    jurisdiction(app, format, fields)?;
    may_list(app, format, fields)?;
    let bad = |message: &str| Fault(format, StatusCode::BAD_REQUEST, message.into());
    let found = match field(fields, "service_request_id") {
        Some(ids) => {
            let ids: Vec<i64> = ids.split(',').take(MOST as usize).filter_map(|id| id.trim().parse().ok()).collect();
            app.store.requests_listed(&ids).await.map_err(broken(format))?
        }
        None => {
            let number = |name: &str, usual: u32| {
                field(fields, name).map_or(Ok(usual), |text| text.parse::<u32>().map_err(|_| bad(&format!("{name} is no number"))))
            };
            let (page, size) = (number("page", 1)?.max(1), number("page_size", 100)?.clamp(1, MOST));
            let reach = page.saturating_mul(size);
            if reach > DEEPEST {
                return Err(bad("pages reach 10000 rows; narrow start_date and end_date"));
            }
            let filter = list_filter(app, fields, app.clock.utc()).map_err(|message| bad(&message))?;
            page_of(app, filter, page, size).await.map_err(broken(format))?
        }
    };
    let language = language(fields);
    let body = Value::Array(found.iter().filter_map(|request| request_view(app, request, language)).collect());
    Ok(answer(format, "service_requests", "request", &body))
}

/// One page by number, read as pages by key: the store never skips rows.
async fn page_of(app: &App, mut filter: RequestFilter, page: u32, size: u32) -> Result<Vec<Request>, qorgan_alerts::Error> {
    let (now, mut left) = (app.clock.utc(), (page - 1).saturating_mul(size));
    loop {
        filter.limit = if left == 0 { size } else { left.min(MOST) };
        let rows = app.store.search_requests(&filter, now).await?;
        if left == 0 {
            return Ok(rows);
        }
        let Some(last) = rows.last().filter(|_| rows.len() == filter.limit as usize) else { return Ok(Vec::new()) };
        filter.after = Some(qorgan_alerts::store::RequestCursor::Id(last.id));
        left -= filter.limit;
    }
}

fn list_filter(app: &App, fields: &Fields, now: UtcMs) -> Result<RequestFilter, String> {
    let time = |name: &str| match field(fields, name) {
        // A plus sign in an address means a blank.
        Some(text) => {
            text.replace(' ', "+").parse::<UtcMs>().map(Some).map_err(|_| format!("{name} is no time such as 2026-11-22T00:00:00Z"))
        }
        None => Ok(None),
    };
    let listed: Vec<&Category> = app.requests.settings.categories.iter().filter(|c| c.open311).collect();
    let categories: Vec<String> = match field(fields, "service_code") {
        Some(codes) => {
            let asked: Vec<&str> = codes.split(',').map(str::trim).collect();
            let known: Vec<String> = listed.iter().filter(|c| asked.contains(&c.id.as_str())).map(|c| c.id.clone()).collect();
            if known.is_empty() {
                return Err("service_code was not found".into());
            }
            known
        }
        None => listed.iter().map(|c| c.id.clone()).collect(),
    };
    let (mut states, mut known) = (Vec::new(), true);
    for status in field(fields, "status").unwrap_or("open,closed").split(',') {
        match status.trim() {
            "open" => states.extend(Stands::ALL.into_iter().filter(|s| is_open(*s))),
            "closed" => states.extend(Stands::ALL.into_iter().filter(|s| !is_open(*s))),
            _ => known = false,
        }
    }
    if !known {
        return Err("status is open or closed".into());
    }
    // Whole hours, like the times that are shown: bounds between them would tell the minute.
    let hour = |at: UtcMs| UtcMs(at.0 - at.0.rem_euclid(HOUR_MS));
    let (from, to) = (time("start_date")?.map(hour), time("end_date")?.map(hour));
    let from = from.or_else(|| Some(UtcMs(to.unwrap_or(now).0 - USUAL_MS)));
    if states.len() == Stands::ALL.len() {
        states.clear();
    }
    Ok(RequestFilter { categories, states, from, to, ..RequestFilter::default() })
}

/// One request.
#[utoipa::path(get, path = "/open311/v2/requests/{id}", tag = "open311", params(("id" = String, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn request(State(app): State<App>, Path(file): Path<String>, Query(fields): Query<Fields>) -> Result<Response, Fault> {
    let (id, format) = id_and_format(&file)?;
    jurisdiction(&app, format, &fields)?;
    may_list(&app, format, &fields)?;
    let missing = || Fault(format, StatusCode::NOT_FOUND, "service_request_id was not found".into());
    let id: i64 = id.parse().map_err(|_| missing())?;
    let request = app.store.request(id).await.map_err(broken(format))?.ok_or_else(missing)?;
    let view = request_view(&app, &request, language(&fields)).ok_or_else(missing)?;
    Ok(answer(format, "service_requests", "request", &json!([view])))
}

/// The request of a token.
#[utoipa::path(get, path = "/open311/v2/tokens/{id}", tag = "open311", params(("id" = String, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn token(State(app): State<App>, Path(file): Path<String>, Query(fields): Query<Fields>) -> Result<Response, Fault> {
    let (token, format) = id_and_format(&file)?;
    jurisdiction(&app, format, &fields)?;
    let missing = || Fault(format, StatusCode::NOT_FOUND, "token was not found".into());
    let id = app.requests.keys.of_token(token).ok_or_else(missing)?;
    app.store.request(id).await.map_err(broken(format))?.ok_or_else(missing)?;
    Ok(answer(format, "service_requests", "request", &json!([{ "service_request_id": id.to_string(), "token": token }])))
}

fn is_open(state: Stands) -> bool {
    state.is_open() || state == Stands::Merged
}

/// What is published of a request; none of a category that is not listed.
fn request_view(app: &App, request: &Request, language: &str) -> Option<Value> {
    let standing = &request.standing;
    let category = app.requests.settings.category(&standing.category).filter(|c| c.open311)?;
    let hour = |at: UtcMs| UtcMs(at.0 - at.0.rem_euclid(HOUR_MS));
    let place = snapped(request.position);
    let agency = app.requests.settings.service(&standing.service).map(|s| words::pick(&s.name, language).to_owned());
    Some(json!({
        "service_request_id": request.id.to_string(),
        "status": if is_open(standing.state) { "open" } else { "closed" },
        "status_notes": words::pick(&words::state_name(standing.state), language),
        "service_name": words::pick(&category.name, language), "service_code": category.id,
        "description": null, "agency_responsible": agency, "service_notice": null,
        "requested_datetime": hour(request.received_at), "updated_datetime": hour(request.updated_at),
        "expected_datetime": standing.promised_at.map(hour),
        "address": null, "address_id": null, "zipcode": null, "lat": place.lat(), "long": place.lon(), "media_url": null,
    }))
}

/// Names of the items of lists inside an item, as the standard's XML has them.
fn item_of(list: &str) -> &'static str {
    match list {
        "attributes" => "attribute",
        "values" => "value",
        "endpoints" => "endpoint",
        "formats" => "format",
        _ => "item",
    }
}

fn answer(format: Format, root: &str, item: &str, body: &Value) -> Response {
    match format {
        Format::Json => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response(),
        Format::Xml => match xml(root, item, body) {
            Ok(text) => ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response(),
            Err(error) => {
                tracing::error!(%error, "an Open311 answer could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        },
    }
}

fn xml(root: &str, item: &str, body: &Value) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    match body {
        Value::Array(_) => element(&mut writer, root, body, item)?,
        other => element(&mut writer, root, other, item)?,
    }
    Ok(writer.into_inner())
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value, item: &str) -> std::io::Result<()> {
    writer.write_event(Event::Start(BytesStart::new(name)))?;
    match value {
        Value::Null => {}
        Value::Array(all) => {
            for one in all {
                element(writer, item, one, "item")?;
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                element(writer, field, value, item_of(field))?;
            }
        }
        // A text that came in may hold what XML forbids even escaped.
        Value::String(text) => {
            let legal: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
            writer.write_event(Event::Text(BytesText::new(&legal)))?;
        }
        other => writer.write_event(Event::Text(BytesText::new(&other.to_string())))?,
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xml_of_a_list_has_the_names_of_the_standard_and_escapes() {
        let body = json!([{ "service_request_id": "1", "status": "open", "description": null, "lat": 42.9, "note": "a<b & \u{1}c" }]);
        let text = String::from_utf8(xml("service_requests", "request", &body).unwrap()).unwrap();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><service_requests><request>"), "{text}");
        assert!(
            text.contains("<description></description>") && text.contains("<lat>42.9</lat>") && text.contains("a&lt;b &amp; c"),
            "{text}"
        );
        let definition = json!({ "service_code": "x", "attributes": [{ "code": "a", "values": [{ "key": "k", "name": "n" }] }] });
        let text = String::from_utf8(xml("service_definition", "attribute", &definition).unwrap()).unwrap();
        assert!(text.contains("<attributes><attribute><code>a</code><values><value><key>k</key>"), "{text}");
    }

    #[test]
    fn attributes_of_a_form_are_found() {
        let form = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Fields>();
        let fields = form(&[
            ("service_code", "heating"),
            ("lat", "42.9"),
            ("long", "71.37"),
            ("description", "жылу жоқ, екі күн"),
            ("attribute[since_days]", "2"),
            ("attribute[extent][]", "house"),
            ("first_name", "А"),
            ("phone", "+7 701 000 00 00"),
        ]);
        let read = submission(&fields).unwrap();
        assert_eq!(read.attributes, [("since_days".to_owned(), "2".to_owned()), ("extent".to_owned(), "house".to_owned())]);
        for missing in ["service_code", "lat", "long", "description"] {
            let fields: Fields = fields.iter().filter(|(name, _)| name != missing).cloned().collect();
            assert!(submission(&fields).unwrap_err().contains(missing));
        }
        let nan: Fields = fields.iter().map(|(n, v)| (n.clone(), if n == "lat" { "NaN".into() } else { v.clone() })).collect();
        assert!(submission(&nan).is_err());
    }
}
