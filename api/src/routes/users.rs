//! Accounts, for the administrator.

use axum::{Extension, Json, extract::State, http::StatusCode};
use qorgan_alerts::store::Account;
use qorgan_domain::{Role, UserName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{auth::Session, error::ApiError, hub::App};

/// All accounts.
#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    users: Vec<UserView>,
}

/// An account; its password hash stays in the store.
#[derive(Serialize, ToSchema)]
pub(super) struct UserView {
    /// Account name.
    user: String,
    /// Name shown to colleagues.
    display_name: String,
    /// Role.
    role: &'static str,
    /// The one site of a school contact.
    site: Option<String>,
    /// The unit of a patrol.
    unit: Option<String>,
    /// The district of a district contact, KATO code.
    area: Option<String>,
    /// May not log in.
    disabled: bool,
}

/// An account to be made, or changed when the name exists.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserBody {
    user: String,
    display_name: String,
    #[schema(value_type = String)]
    role: Role,
    site: Option<String>,
    unit: Option<String>,
    area: Option<String>,
    /// Twelve characters or more; may be left out when the account exists.
    password: Option<String>,
    #[serde(default)]
    disabled: bool,
}

impl From<&Account> for UserView {
    fn from(user: &Account) -> Self {
        Self {
            user: user.name.to_string(),
            display_name: user.display_name.clone(),
            role: user.role.as_str(),
            site: user.site.as_ref().map(ToString::to_string),
            unit: user.unit.as_ref().map(ToString::to_string),
            area: user.area.as_ref().map(ToString::to_string),
            disabled: user.disabled,
        }
    }
}

/// Every account.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = UserList)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<UserList>, ApiError> {
    Ok(Json(UserList { users: app.store.accounts().await?.iter().map(UserView::from).collect() }))
}

/// Makes an account, or changes one; a changed account is logged out everywhere.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = UserBody, responses((status = 201, body = UserView), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<UserBody>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    let bad = |error: qorgan_domain::id::IdError| ApiError::invalid(error.to_string());
    let name: UserName = body.user.parse().map_err(bad)?;
    let site: Option<qorgan_domain::SiteId> = body.site.map(|s| s.parse()).transpose().map_err(bad)?;
    let unit: Option<qorgan_domain::UnitId> = body.unit.map(|u| u.parse()).transpose().map_err(bad)?;
    if (body.role == Role::SchoolContact) != site.is_some() {
        return Err(ApiError::invalid("a school contact, and nobody else, has a site"));
    }
    let area: Option<qorgan_domain::AreaCode> = body.area.map(|a| a.parse()).transpose().map_err(bad)?;
    if (body.role == Role::Patrol) != unit.is_some() {
        return Err(ApiError::invalid("a patrol, and nobody else, has a unit"));
    }
    if (body.role == Role::DistrictContact) != area.is_some() {
        return Err(ApiError::invalid("a district contact, and nobody else, has an area"));
    }
    let display_name = body.display_name.trim().to_owned();
    if display_name.is_empty() || display_name.chars().count() > 100 {
        return Err(ApiError::invalid("display_name has 1 to 100 characters"));
    }
    let known = app.store.account(&name).await?;
    let password_hash = match (body.password, &known) {
        (Some(password), _) => app.passwords.hash(password).await.map_err(|error| ApiError::invalid(error.to_string()))?,
        (None, Some(known)) => known.password_hash.clone(),
        (None, None) => return Err(ApiError::invalid("a new account needs a password")),
    };
    let language = known.as_ref().map_or_else(|| app.config.hub.language.clone(), |k| k.language.clone());
    let created_at = known.as_ref().map_or_else(|| app.clock.utc(), |k| k.created_at);
    let disabled = body.disabled;
    let user =
        Account { name: name.clone(), display_name, role: body.role, site, unit, area, language, password_hash, disabled, created_at };
    app.store.put_account(&user).await?;
    app.sessions.end_all(&name).await?;
    let action = if known.is_some() { "user.change" } else { "user.add" };
    app.audit_by(&session, action, &format!("user/{name}"), Some(body.role.as_str())).await?;
    Ok((StatusCode::CREATED, Json(UserView::from(&user))))
}
