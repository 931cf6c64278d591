//! The register of institutions: connected, in work, not connected; import; blind sites.

use std::collections::HashMap;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use qorgan_alerts::store::{AuditEntry, Connection, Institution, InstitutionKind};
use qorgan_domain::{GeoPoint, Role, SiteId, Trilingual, UtcMs};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::With, Route, cameras::covers, row};
use crate::{
    areas::Areas,
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    register::{
        self, Life, blindness, changes, check, day_of,
        import::{Import, Plan, RowError, plan},
        overdue, template,
    },
    table,
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, change, import, template_csv, template_xlsx, export))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::RegisterRead), With(Right::RegisterWrite));
    let limit = DefaultBodyLimit::max(table::MAX_BYTES);
    vec![
        row(Method::GET, "/api/v1/register", read, get(list)),
        row(Method::PUT, "/api/v1/register/{id}", write, put(change)),
        row(Method::POST, "/api/v1/register/import", write, post(import).layer(limit)),
        row(Method::GET, "/api/v1/register/template.csv", read, get(template_csv)),
        row(Method::GET, "/api/v1/register/template.xlsx", read, get(template_xlsx)),
        row(Method::GET, "/api/v1/register/export.csv", read, get(export)),
    ]
}

/// One writer at a time: what a file would change is compared with the register as it is.
static WRITING: Mutex<()> = Mutex::const_new(());

/// Which institutions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `connected`, `in_work`, `not_connected`, `blind` or `overdue`.
    status: Option<String>,
    /// KATO code of a district.
    area: Option<String>,
    /// Part of a name, an id, an address or an owner.
    q: Option<String>,
}

/// Language of a file: `kk`, `ru` or `en`; the hub's when absent.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FileQuery {
    lang: Option<String>,
}

/// How an import is meant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// The register, as far as this session sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Register {
    institutions: Vec<InstitutionView>,
    /// Of everything that this session sees, whatever was asked for.
    totals: Totals,
}

/// How many there are.
#[derive(Serialize, Default, ToSchema)]
pub(super) struct Totals {
    /// All.
    all: usize,
    /// Connected.
    connected: usize,
    /// In work.
    in_work: usize,
    /// Not connected.
    not_connected: usize,
    /// Nothing would arrive from there.
    blind: usize,
    /// The deadline has passed.
    overdue: usize,
}

/// An institution of the register.
#[derive(Serialize, ToSchema)]
pub(super) struct InstitutionView {
    /// Id; the site's where it is one.
    id: String,
    /// Name.
    name: Names,
    /// `school`, `kindergarten`, `hospital`, `public_place`, `other`.
    kind: &'static str,
    /// KATO code of its district.
    area: String,
    /// Name of its district.
    area_name: Option<Names>,
    /// `[lat, lon]`, degrees.
    position: Option<[f64; 2]>,
    /// Postal address.
    address: Option<String>,
    /// `connected`, `in_work`, `not_connected`.
    status: &'static str,
    /// Nothing would arrive from there.
    blind: bool,
    /// `not_connected`, `in_work`, `never_seen`, `lost`.
    blind_why: Option<&'static str>,
    /// Why it is not connected.
    cause: Option<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// Until when, `YYYY-MM-DD`.
    deadline: Option<String>,
    /// The deadline has passed.
    overdue: bool,
    /// Whose line connects it.
    provider: Option<String>,
    /// Devices that press there.
    devices: usize,
    /// How many of them are lost.
    devices_lost: usize,
    /// When it passed a drill last, RFC 3339.
    last_drill_at: Option<String>,
    /// When it was changed last, RFC 3339.
    updated_at: String,
    /// By whom.
    updated_by: String,
}

/// A name; without English the Russian one stands for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NameBody {
    kk: String,
    ru: String,
    en: Option<String>,
}

/// An institution to be added or changed. What is absent stays as it is, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstitutionBody {
    name: Option<NameBody>,
    #[schema(value_type = Option<String>)]
    kind: Option<InstitutionKind>,
    /// KATO code.
    area: Option<String>,
    /// `[lat, lon]`, degrees.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<[f64; 2]>)]
    position: Option<Option<[f64; 2]>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    address: Option<Option<String>>,
    #[schema(value_type = String)]
    status: Connection,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    cause: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    /// `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    deadline: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    provider: Option<Option<String>>,
}

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What a file did, or would do.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// Rows read.
    rows: usize,
    /// New institutions.
    added: usize,
    /// Changed ones.
    changed: usize,
    /// Those that stay.
    unchanged: usize,
    /// What cannot be taken; with any, nothing was applied. At most 1,000.
    errors: Vec<RowError>,
    /// Columns that mean nothing here.
    ignored: Vec<String>,
    /// Whether it was applied.
    applied: bool,
}

/// Institutions that this session sees: a school contact its own, a district contact its district's.
#[utoipa::path(get, path = "/api/v1/register", tag = "register", params(ListQuery), responses((status = 200, body = Register)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Register>, ApiError> {
    let words = ["connected", "in_work", "not_connected", "blind", "overdue"];
    if let Some(status) = query.status.as_deref().filter(|s| !s.is_empty() && !words.contains(s)) {
        return Err(ApiError::invalid(format!("status \"{status}\" is none of {}", words.join(", "))));
    }
    let institutions = seen_by(&app, &session).await?;
    let mut totals = Totals::default();
    for i in &institutions {
        totals.all += 1;
        match i.status {
            "connected" => totals.connected += 1,
            "in_work" => totals.in_work += 1,
            _ => totals.not_connected += 1,
        }
        totals.blind += usize::from(i.blind);
        totals.overdue += usize::from(i.overdue);
    }
    let q = query.q.map(|q| q.trim().to_lowercase()).filter(|q| !q.is_empty());
    let fits = |i: &InstitutionView| {
        let status = match query.status.as_deref() {
            None | Some("") => true,
            Some("blind") => i.blind,
            Some("overdue") => i.overdue,
            Some(status) => i.status == status,
        };
        let texts = [Some(&i.id), Some(&i.name.kk), Some(&i.name.ru), Some(&i.name.en), i.address.as_ref(), i.owner.as_ref()];
        let found = q.as_ref().is_none_or(|q| texts.into_iter().flatten().any(|text| text.to_lowercase().contains(q.as_str())));
        status && query.area.as_ref().is_none_or(|area| area.is_empty() || i.area == *area) && found
    };
    Ok(Json(Register { institutions: institutions.into_iter().filter(fits).collect(), totals }))
}

/// Adds or changes one institution.
#[utoipa::path(put, path = "/api/v1/register/{id}", tag = "register", params(("id" = String, Path)), request_body = InstitutionBody,
    responses((status = 200, body = InstitutionView), (status = 404), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Json(body): Json<InstitutionBody>,
) -> Result<Json<InstitutionView>, ApiError> {
    let id: SiteId = id.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(e.to_string()))?;
    let _one = WRITING.lock().await;
    let known = app.store.institution(&id).await?;
    if known.as_ref().is_some_and(|k| !covers(&session, k.id.as_str(), k.area.as_str())) {
        return Err(ApiError::not_found("institution"));
    }
    let entry = merged(&app, &session, id, body, known.as_ref())?;
    let (action, what) = match &known {
        None => ("register.add", vec![format!("status: {}", entry.status.as_str())]),
        Some(known) => ("register.change", changes(known, &entry)),
    };
    if !what.is_empty() {
        app.audit_by(&session, action, &format!("institution/{}", entry.id), Some(&what.join("; "))).await?;
        app.store.put_institutions(std::slice::from_ref(&entry)).await?;
    }
    let drills = app.store.last_passed_drills().await?;
    Ok(Json(view(&app, &app.areas(), &entry, &drills, &register::devices(&app))))
}

fn merged(app: &App, session: &Session, id: SiteId, body: InstitutionBody, known: Option<&Institution>) -> Result<Institution, ApiError> {
    let clean = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    let text = |new: Option<Option<String>>, old: Option<&Option<String>>| new.map_or_else(|| old.cloned().flatten(), clean);
    let needs = |what: &str| ApiError::invalid(format!("a new institution needs {what}"));
    let name = match (body.name, known) {
        (Some(name), _) => {
            let en = clean(name.en).unwrap_or_else(|| name.ru.trim().to_owned());
            Trilingual { kk: name.kk.trim().into(), ru: name.ru.trim().into(), en }
        }
        (None, Some(known)) => known.name.clone(),
        (None, None) => return Err(needs("a name")),
    };
    let area = match (body.area, known) {
        (Some(area), _) => area.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(format!("area: {e}")))?,
        (None, Some(known)) => known.area.clone(),
        (None, None) => return Err(needs("an area")),
    };
    let areas = app.areas();
    if !areas.contains_code(&area) {
        return Err(ApiError::invalid(format!("area: this hub knows no district {area}")));
    }
    if !covers(session, id.as_str(), area.as_str()) {
        return Err(ApiError::invalid("area: your own district"));
    }
    let position = match body.position {
        Some(position) => position.map(GeoPoint::try_from).transpose().map_err(|e| ApiError::invalid(format!("position: {e}")))?,
        None => known.and_then(|k| k.position),
    };
    if let Some(position) = position {
        areas.check_inside(position, &area).map_err(|reason| ApiError::invalid(format!("position: {reason}")))?;
    }
    let entry = Institution {
        id,
        name,
        kind: body.kind.or(known.map(|k| k.kind)).ok_or_else(|| needs("a kind"))?,
        area,
        position,
        address: text(body.address, known.map(|k| &k.address)),
        status: body.status,
        cause: text(body.cause, known.map(|k| &k.cause)),
        owner: text(body.owner, known.map(|k| &k.owner)),
        deadline: text(body.deadline, known.map(|k| &k.deadline)),
        provider: text(body.provider, known.map(|k| &k.provider)),
        updated_at: app.clock.utc(),
        updated_by: session.user.to_string(),
    };
    match check(&entry).first() {
        Some((column, expected)) => Err(ApiError::invalid(format!("{}: {expected}", column.key())).with("field", column.key())),
        None => Ok(entry),
    }
}

/// Imports a file, all of it or nothing.
#[utoipa::path(post, path = "/api/v1/register/import", tag = "register", params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", description = "or `text/csv`"),
    responses((status = 200, body = Imported), (status = 413), (status = 422, description = "no table at all")))]
pub(super) async fn import(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Json<Imported>, ApiError> {
    let _one = WRITING.lock().await;
    let known = app.store.institutions().await?;
    let (areas, now, who) = (app.areas(), app.clock.utc(), session.user.to_string());
    let own_area = (session.role == Role::DistrictContact).then(|| session.area.clone()).flatten();
    if session.role == Role::DistrictContact && own_area.is_none() {
        return Err(ApiError::forbidden());
    }
    let hash = hex::encode(Sha256::digest(&body));
    let reading = tokio::task::spawn_blocking(move || {
        let sheets = table::read(&body)?;
        Ok::<Plan, table::TableError>(plan(&sheets, &Import { known: &known, areas: &areas, own_area: own_area.as_ref(), who: &who, now }))
    });
    let broken = |_| ApiError::invalid("The file could not be read; nothing was changed.");
    let plan = reading.await.map_err(broken)?.map_err(|error| ApiError::invalid(error.to_string()))?;
    let applied = plan.errors.is_empty() && !query.dry_run;
    if applied {
        apply(&app, &session, &plan, &hash, now).await?;
    }
    Ok(Json(Imported {
        rows: plan.rows,
        added: plan.added.len(),
        changed: plan.changed.len(),
        unchanged: plan.unchanged,
        errors: plan.errors,
        ignored: plan.ignored,
        applied,
    }))
}

async fn apply(app: &App, session: &Session, plan: &Plan, hash: &str, now: UtcMs) -> Result<(), ApiError> {
    let line = |action: &str, subject: String, purpose: String| AuditEntry {
        at: now,
        who: session.user.to_string(),
        role: session.role.as_str().into(),
        action: action.into(),
        subject,
        purpose: Some(purpose.chars().take(1_000).collect()),
    };
    let summary = format!("{} added, {} changed, {} unchanged; sha256 {hash}", plan.added.len(), plan.changed.len(), plan.unchanged);
    let mut lines = vec![line("register.import", "register".into(), summary)];
    let subject = |i: &Institution| format!("institution/{}", i.id);
    lines.extend(plan.added.iter().map(|i| line("register.add", subject(i), format!("status: {}", i.status.as_str()))));
    lines.extend(plan.changed.iter().map(|(old, new)| line("register.change", subject(new), changes(old, new).join("; "))));
    app.store.append_audits(lines).await?;
    let all: Vec<Institution> = plan.added.iter().chain(plan.changed.iter().map(|(_, new)| new)).cloned().collect();
    Ok(app.store.put_institutions(&all).await?)
}

/// A file to fill in, CSV.
#[utoipa::path(get, path = "/api/v1/register/template.csv", tag = "register", params(FileQuery),
    responses((status = 200, content_type = "text/csv")))]
pub(super) async fn template_csv(State(app): State<App>, Query(query): Query<FileQuery>) -> Response {
    file("text/csv; charset=utf-8", "register-template.csv", template::csv(language(&app, &query)))
}

/// A file to fill in, XLSX.
#[utoipa::path(get, path = "/api/v1/register/template.xlsx", tag = "register", params(FileQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
pub(super) async fn template_xlsx(State(app): State<App>, Query(query): Query<FileQuery>) -> Result<Response, ApiError> {
    let failed = |error| {
        tracing::error!(%error, "the register's template could not be written");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The template could not be written.")
    };
    let bytes = template::xlsx(language(&app, &query)).map_err(failed)?;
    Ok(file("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "register-template.xlsx", bytes))
}

/// The register as this session sees it, CSV, in the shape that an import takes.
#[utoipa::path(get, path = "/api/v1/register/export.csv", tag = "register", params(FileQuery),
    responses((status = 200, content_type = "text/csv")))]
pub(super) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<FileQuery>,
) -> Result<Response, ApiError> {
    let all = app.store.institutions().await?;
    let mine: Vec<&Institution> = all.iter().filter(|i| covers(&session, i.id.as_str(), i.area.as_str())).collect();
    let note = format!("{} institutions", mine.len());
    app.audit_by(&session, "register.export", "register", Some(&note)).await?;
    Ok(file("text/csv; charset=utf-8", "register.csv", template::export(language(&app, &query), mine.into_iter())))
}

fn language<'a>(app: &'a App, query: &'a FileQuery) -> &'a str {
    query.lang.as_deref().filter(|l| ["kk", "ru", "en"].contains(l)).unwrap_or(&app.config.hub.language)
}

fn file(media_type: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

async fn seen_by(app: &App, session: &Session) -> Result<Vec<InstitutionView>, ApiError> {
    let (all, drills, areas) = (app.store.institutions().await?, app.store.last_passed_drills().await?, app.areas());
    let lives = register::devices(app);
    Ok(all.iter().filter(|i| covers(session, i.id.as_str(), i.area.as_str())).map(|i| view(app, &areas, i, &drills, &lives)).collect())
}

fn view(app: &App, areas: &Areas, i: &Institution, drills: &HashMap<SiteId, UtcMs>, lives: &HashMap<SiteId, Vec<Life>>) -> InstitutionView {
    let devices = lives.get(&i.id).map(Vec::as_slice).unwrap_or_default();
    let watched = devices.is_empty() && register::by_cameras_only(app, &i.id);
    let blind = blindness(i.status, if watched { &[Life::Unsupervised] } else { devices });
    InstitutionView {
        id: i.id.to_string(),
        name: (&i.name).into(),
        kind: i.kind.as_str(),
        area: i.area.to_string(),
        area_name: areas.iter().find(|a| a.code == i.area).map(|a| (&a.name).into()),
        position: i.position.map(Into::into),
        address: i.address.clone(),
        status: i.status.as_str(),
        blind: blind.is_some(),
        blind_why: blind.map(register::Blind::as_str),
        cause: i.cause.clone(),
        owner: i.owner.clone(),
        deadline: i.deadline.clone(),
        overdue: overdue(i, day_of(app.clock.utc())),
        provider: i.provider.clone(),
        devices: devices.len(),
        devices_lost: devices.iter().filter(|life| **life == Life::Lost).count(),
        last_drill_at: drills.get(&i.id).map(ToString::to_string),
        updated_at: i.updated_at.to_string(),
        updated_by: i.updated_by.clone(),
    }
}
