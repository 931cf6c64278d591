//! The audit log, for auditors.

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{auth::Session, error::ApiError, hub::App};

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// At most this many, 1 to 1000.
    limit: Option<u32>,
    /// Only lines with a smaller number.
    before: Option<i64>,
}

/// Lines, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditList {
    entries: Vec<AuditView>,
}

/// One line.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditView {
    /// Number, from 1, without holes.
    seq: i64,
    /// When.
    at: String,
    /// Account name or `system/part`.
    who: String,
    /// Role.
    role: String,
    /// What was done.
    action: String,
    /// To what.
    subject: String,
    /// Why.
    purpose: Option<String>,
    /// SHA-256 over this line and the hash before it, hex.
    hash: String,
}

/// Whether the chain holds.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditVerdict {
    /// It holds from the first line to the last.
    ok: bool,
    /// Lines looked at.
    entries: i64,
    /// Hash of the last line.
    head: String,
    /// The first line that does not fit.
    broken_at: Option<i64>,
}

/// Lines of the audit log, newest first. Reading it is itself written down.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery), responses((status = 200, body = AuditList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditList>, ApiError> {
    if query.before.is_none() {
        app.audit_by(&session, "audit.read", "audit", None).await?;
    }
    let rows = app.store.audit(query.before, query.limit.unwrap_or(100).clamp(1, 1000)).await?;
    let line = |row: qorgan_alerts::store::AuditLine| AuditView {
        seq: row.seq,
        at: row.entry.at.to_string(),
        who: row.entry.who,
        role: row.entry.role,
        action: row.entry.action,
        subject: row.entry.subject,
        purpose: row.entry.purpose,
        hash: row.hash,
    };
    Ok(Json(AuditList { entries: rows.into_iter().map(line).collect() }))
}

/// Computes the whole chain again.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", responses((status = 200, body = AuditVerdict)))]
pub(super) async fn verify(State(app): State<App>) -> Result<Json<AuditVerdict>, ApiError> {
    let verdict = app.store.verify_audit().await?;
    Ok(Json(AuditVerdict { ok: verdict.broken_at.is_none(), entries: verdict.entries, head: verdict.head, broken_at: verdict.broken_at }))
}
