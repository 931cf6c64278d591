//! The table of routes against every role, and against the OpenAPI document.

use std::net::SocketAddr;

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Method, Request, StatusCode},
};
use qorgan_alerts::store::Account;
use qorgan_domain::Role;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::{
    auth::COOKIE,
    config::Config,
    hub::{Mode, Running, Secure, start},
};

mod intake;
mod tension;

struct Hub {
    running: Running,
    _dir: tempfile::TempDir,
}

async fn hub() -> Hub {
    hub_with(|_| {}).await
}

async fn hub_with(change: impl FnOnce(&mut Config)) -> Hub {
    let dir = tempfile::tempdir().unwrap();
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/demo.toml");
    let mut config = Config::load(&demo).unwrap();
    config.move_state(dir.path());
    // Tests put in what they need themselves.
    config.intake.demo_import = None;
    config.intake.feeds.clear();
    change(&mut config);
    let overrides = crate::hub::Overrides {
        http: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        mqtt: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        dc09: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Default::default()
    };
    overrides.apply(&mut config).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    Hub { running: start(config, Mode::Centre).await.unwrap(), _dir: dir }
}

impl Hub {
    async fn account(&self, role: Role) -> Account {
        let accounts = self.running.app.store.accounts().await.unwrap();
        accounts.into_iter().find(|a| a.role == role).unwrap()
    }

    /// Status and error code of a request, with the session of a role or none.
    async fn ask(&self, method: &Method, path: &str, role: Option<Role>, csrf: bool, body: &str) -> (StatusCode, String) {
        let app = &self.running.app;
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(role) = role {
            let (session, token) = app.sessions.open(&self.account(role).await).await.unwrap();
            request = request.header("cookie", format!("{COOKIE}={token}"));
            if csrf {
                request = request.header("x-csrf-token", session.csrf);
            }
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))));
        request.extensions_mut().insert(Secure(false));
        let response = router(app.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        if status == StatusCode::OK {
            return (status, String::new());
        }
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let code = serde_json::from_slice::<Value>(&bytes).ok().and_then(|v| v["error"]["code"].as_str().map(str::to_owned));
        (status, code.unwrap_or_default())
    }
}

fn example(path: &str) -> String {
    path.replace("{site}", "school-17").replace("{device}", "yard").replace("{id}", "1")
}

#[tokio::test]
async fn every_route_admits_exactly_the_roles_of_the_table() {
    let hub = hub().await;
    for route in table() {
        let path = example(route.path);
        let (status, code) = hub.ask(&route.method, &path, None, false, "{}").await;
        match route.access {
            Access::Anyone => {
                assert!(status != StatusCode::UNAUTHORIZED || code == "bad_login", "{} {path} without log-in: {status}", route.method);
            }
            Access::Signed => assert_eq!((status, code.as_str()), (StatusCode::UNAUTHORIZED, "bad_signature"), "{path}"),
            Access::Machine => assert_eq!((status, code.as_str()), (StatusCode::UNAUTHORIZED, "bad_token"), "{path}"),
            _ => {
                assert_eq!(
                    (status, code.as_str()),
                    (StatusCode::UNAUTHORIZED, "unauthenticated"),
                    "{} {path} without log-in",
                    route.method
                );
            }
        }
        for role in Role::ALL {
            let (status, code) = hub.ask(&route.method, &path, Some(role), true, "{}").await;
            let turned_away = status == StatusCode::UNAUTHORIZED
                && ["unauthenticated", "bad_signature", "bad_token"].contains(&code.as_str())
                || status == StatusCode::FORBIDDEN && code == "forbidden";
            assert_eq!(!turned_away, route.access.allows(role), "{} {path} as {role}: {status} {code}", route.method);
        }
    }
    hub.running.stop().await;
}

#[tokio::test]
async fn no_change_is_taken_without_the_csrf_token() {
    let hub = hub().await;
    for route in table()
        .into_iter()
        .filter(|r| r.method != Method::GET && !matches!(r.access, Access::Anyone | Access::Phone | Access::Signed | Access::Machine))
    {
        let role = Role::ALL.into_iter().find(|r| route.access.allows(*r)).unwrap();
        let (status, code) = hub.ask(&route.method, &example(route.path), Some(role), false, "{}").await;
        assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "csrf"), "{} {}", route.method, route.path);
    }
    hub.running.stop().await;
}

#[test]
fn the_openapi_document_and_the_table_name_the_same_routes() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut documented: Vec<String> = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        documented.extend(operations.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let mut routed: Vec<String> = table().iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    documented.sort();
    routed.sort();
    assert_eq!(documented, routed);
}

#[test]
fn pictures_accounts_and_the_audit_log_are_in_different_hands() {
    use crate::auth::Right;
    for role in Role::ALL {
        let has = |right: Right| right.roles().contains(&role);
        assert!(!(has(Right::StillOpen) && has(Right::AuditRead)), "{role} could open pictures and read who did");
        assert!(!(has(Right::UsersManage) && has(Right::AlertsAct)), "{role} could make accounts and act");
        assert!(!(has(Right::UsersManage) && has(Right::AuditRead)), "{role} could make accounts and audit them");
    }
    assert!(!Right::StillOpen.roles().contains(&Role::PoliceDesk));
}

#[tokio::test]
async fn a_still_needs_a_purpose_and_is_written_down_before_it_leaves() {
    let hub = hub().await;
    let path = "/api/v1/cameras/school-17/yard/still";
    let (status, code) = hub.ask(&Method::POST, path, Some(Role::DutyOfficer), true, "{}").await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "purpose_required"));
    let (status, code) = hub.ask(&Method::POST, path, Some(Role::DutyOfficer), true, r#"{"purpose":"short"}"#).await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "purpose_required"));
    // An alert of another site, or one that does not exist, is no purpose.
    let (status, code) = hub.ask(&Method::POST, path, Some(Role::DutyOfficer), true, r#"{"alert":99}"#).await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "purpose_required"));
    let (status, code) = hub.ask(&Method::POST, path, Some(Role::DutyOfficer), true, r#"{"purpose":"smoke reported by a caller"}"#).await;
    assert_eq!((status, code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "no_picture"));
    hub.running.stop().await;
}

#[tokio::test]
async fn the_sixth_wrong_password_has_to_wait_and_the_account_is_free_elsewhere() {
    let hub = hub().await;
    let body = r#"{"user":"duty","password":"wrong wrong wrong"}"#;
    for _ in 0..5 {
        let (status, _) = hub.ask(&Method::POST, "/api/v1/session", None, false, body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let (status, code) = hub.ask(&Method::POST, "/api/v1/session", None, false, body).await;
    assert_eq!((status, code.as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
    hub.running.stop().await;
}
