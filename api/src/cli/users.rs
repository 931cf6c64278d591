//! `qorgan user`: accounts from the command line, on the hub's machine.

use std::{
    io::{IsTerminal, Read, Write},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use qorgan_alerts::{
    Store,
    store::{Account, AuditEntry},
};
use qorgan_domain::{AreaCode, Clock, Role, SiteId, SystemClock, UnitId, UserName};

use super::{ConfigArg, Failure};
use crate::auth::{Passwords, generate};

#[derive(Args)]
pub(super) struct UserArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add an account. Prints a generated password, or reads one from standard input with --password-stdin.
    Add {
        /// Account name: a-z, 0-9, hyphen.
        user: UserName,
        /// duty_officer, shift_lead, police_desk, patrol, school_contact, analyst, resident_operator, administrator, auditor.
        #[arg(long)]
        role: Role,
        /// Name shown to colleagues.
        #[arg(long)]
        name: Option<String>,
        /// The one site of a school contact.
        #[arg(long)]
        site: Option<SiteId>,
        /// The unit of a patrol.
        #[arg(long)]
        unit: Option<UnitId>,
        /// The district of a district contact, by KATO code.
        #[arg(long)]
        area: Option<AreaCode>,
        /// Read the password from standard input instead of generating one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account a new password and end its sessions.
    Passwd {
        /// Account name.
        user: UserName,
        /// Read the password from standard input instead of generating one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts.
    List,
}

pub(super) async fn users(args: UserArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let store = Store::open(&config.store.address()?).await?;
    match args.command {
        UserCommand::Add { user, role, name, site, unit, area, password_stdin } => {
            if (role == Role::SchoolContact) != site.is_some() {
                return Err("a school contact, and nobody else, has a --site".into());
            }
            if (role == Role::Patrol) != unit.is_some() {
                return Err("a patrol, and nobody else, has a --unit".into());
            }
            if (role == Role::DistrictContact) != area.is_some() {
                return Err("a district contact, and nobody else, has an --area".into());
            }
            if store.account(&user).await?.is_some() {
                return Err(format!("account {user} exists; use `qorgan user passwd {user}` for a new password").into());
            }
            let password = password(password_stdin)?;
            let password_hash = Passwords::new()?.hash(password.clone()).await?;
            let display_name = name.unwrap_or_else(|| user.to_string());
            let language = config.hub.language.clone();
            let (name, created_at) = (user.clone(), SystemClock.utc());
            store
                .put_account(&Account { name, role, password_hash, display_name, site, unit, area, language, disabled: false, created_at })
                .await?;
            audit(&store, "user.add", &user, role.as_str()).await?;
            tell(&user, &password, password_stdin);
        }
        UserCommand::Passwd { user, password_stdin } => {
            let password = password(password_stdin)?;
            let password_hash = Passwords::new()?.hash(password.clone()).await?;
            if !store.set_password(&user, &password_hash).await? {
                return Err(format!("there is no account {user}").into());
            }
            store.end_sessions(&user).await?;
            audit(&store, "user.password", &user, "").await?;
            tell(&user, &password, password_stdin);
        }
        UserCommand::List => {
            for user in store.accounts().await? {
                let bound = user.site.map(|s| format!(" site {s}")).or(user.unit.map(|u| format!(" unit {u}")));
                let bound = bound.or(user.area.map(|a| format!(" area {a}"))).unwrap_or_default();
                let disabled = if user.disabled { " (disabled)" } else { "" };
                println!("{:<20} {:<18} {}{bound}{disabled}", user.name.as_str(), user.role.as_str(), user.display_name);
            }
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn password(from_stdin: bool) -> Result<String, Failure> {
    if !from_stdin {
        return Ok(generate());
    }
    if std::io::stdin().is_terminal() {
        eprint!("Password (shown while you type): ");
        std::io::stderr().flush()?;
    }
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        std::io::stdin().read_line(&mut text)?;
    } else {
        std::io::stdin().read_to_string(&mut text)?;
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn tell(user: &UserName, password: &str, given: bool) {
    match given {
        true => println!("{user}: password set"),
        false => println!("{user}: password {password}"),
    }
}

async fn audit(store: &Store, action: &str, user: &UserName, purpose: &str) -> Result<(), Failure> {
    let entry = AuditEntry {
        at: SystemClock.utc(),
        who: "system/command-line".into(),
        role: "system".into(),
        action: action.into(),
        subject: format!("user/{user}"),
        purpose: (!purpose.is_empty()).then(|| purpose.to_owned()),
    };
    store.append_audit(entry).await?;
    Ok(())
}
