//! Log-ins of the demonstration.

use std::collections::BTreeMap;

use qorgan_alerts::{Store, store::Account};
use qorgan_domain::{Clock, Role, SystemClock, UserName};

use super::StartError;
use crate::{
    auth::Passwords,
    config::{Config, SiteKind, UnitKind},
    secrets::{self, DemoLogin},
};

/// One account for each role, made once; for demonstrations.
pub(super) async fn demo_logins(
    config: &Config,
    store: &Store,
    passwords: &Passwords,
) -> Result<Option<BTreeMap<Role, DemoLogin>>, StartError> {
    if !store.accounts().await?.is_empty() {
        return Ok(None);
    }
    if !config.hub.demo_logins {
        tracing::warn!("there is no account yet; add one with `qorgan user add NAME --role administrator`");
        return Ok(None);
    }
    let school = config.sites.iter().find(|s| s.kind == SiteKind::School).map(|s| s.id.clone());
    let district = config.sites.first().map(|s| s.area.clone());
    let patrol = config.units.iter().find(|u| u.kind == UnitKind::Patrol).map(|u| u.id.clone());
    let mut logins = BTreeMap::new();
    for (role, name, display_name) in [
        (Role::DutyOfficer, "duty", "Айгерім Сейтқали"),
        (Role::ShiftLead, "lead", "Нұрлан Әбдірахманов"),
        (Role::PoliceDesk, "police", "Ерлан Жұмабеков"),
        (Role::Patrol, "patrol", "Патруль 2"),
        (Role::SchoolContact, "school", "Гүлнар Оспанова"),
        (Role::DistrictContact, "district", "Асқар Мұратұлы"),
        (Role::Analyst, "analyst", "Дана Төлегенова"),
        (Role::ResidentOperator, "operator", "Мадина Қасымова"),
        (Role::Deputy, "deputy", "Бақыт Сәрсенов"),
        (Role::Administrator, "admin", "Тимур Ким"),
        (Role::Auditor, "auditor", "Светлана Петрова"),
    ] {
        let (site, unit) = match role {
            Role::SchoolContact if school.is_none() => continue,
            Role::Patrol if patrol.is_none() => continue,
            Role::DistrictContact if district.is_none() => continue,
            Role::SchoolContact => (school.clone(), None),
            Role::Patrol => (None, patrol.clone()),
            _ => (None, None),
        };
        let area = district.clone().filter(|_| role == Role::DistrictContact);
        let password = crate::auth::generate();
        let password_hash = passwords.hash(password.clone()).await?;
        let user: UserName = name.parse().map_err(|e: qorgan_domain::id::IdError| StartError::Option(e.to_string()))?;
        let language = config.hub.language.clone();
        let created_at = SystemClock.utc();
        let display_name = display_name.to_owned();
        store
            .put_account(&Account {
                name: user,
                role,
                password_hash,
                display_name,
                site,
                unit,
                area,
                language,
                disabled: false,
                created_at,
            })
            .await?;
        logins.insert(role, DemoLogin { user: name.into(), password });
    }
    secrets::keep_demo_logins(&config.hub.state_dir, &logins)?;
    Ok(Some(logins))
}
