//! `qorgan backup` and `qorgan restore`: everything the hub would miss after a fire, in one folder.
//!
//! SQLite files are copied with `VACUUM INTO`, which is consistent while the hub writes. A PostgreSQL store
//! is not copied: its own tools do that better (`pg_dump`), and the command says so.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use qorgan_alerts::store::copy_sqlite;

use super::{ConfigArg, Failure};
use crate::config::Config;

#[derive(Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Folder to make; must not exist.
    #[arg(long)]
    to: PathBuf,
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Folder that `qorgan backup` made.
    #[arg(long)]
    from: PathBuf,
    /// Replace the state that is there; it is kept beside, with the ending .before-restore.
    #[arg(long)]
    replace: bool,
}

const STORE: &str = "hub.db";
const JOURNAL: &str = "journal.db";
const FOLDERS: [&str; 2] = ["secrets", "tls"];

pub(super) async fn backup(args: BackupArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    if args.to.exists() {
        return Err(format!("{} exists; name a new folder", args.to.display()).into());
    }
    private_dir(&args.to)?;
    match sqlite_file(&config) {
        Some(file) => {
            println!("store    {}", file.display());
            copy_sqlite(&file, &args.to.join(STORE)).await?;
        }
        None => println!("store    is PostgreSQL: copy it with pg_dump; this backup holds everything else"),
    }
    println!("journal  {}", config.store.journal.display());
    copy_sqlite(&config.store.journal, &args.to.join(JOURNAL)).await?;
    for folder in FOLDERS {
        let from = config.hub.state_dir.join(folder);
        if from.is_dir() {
            println!("{folder:<8} {}", from.display());
            copy_folder(&from, &args.to.join(folder))?;
        }
    }
    println!("backup in {}", args.to.display());
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(args: RestoreArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    if !args.from.join(JOURNAL).is_file() {
        return Err(format!("{} holds no backup: there is no {JOURNAL} in it", args.from.display()).into());
    }
    let state = &config.hub.state_dir;
    if state.join("lock").exists() {
        let lock = std::fs::File::open(state.join("lock"))?;
        if lock.try_lock().is_err() {
            return Err(format!("a hub uses {}; end it first", state.display()).into());
        }
    }
    if state.exists() && std::fs::read_dir(state)?.any(|e| e.is_ok_and(|e| e.file_name() != "lock")) {
        if !args.replace {
            return Err(format!("{} holds state; use --replace to put the backup in its place", state.display()).into());
        }
        let mut aside = state.clone().into_os_string();
        aside.push(".before-restore");
        if Path::new(&aside).exists() {
            return Err(format!("{} is still there from the last restore; move it away first", Path::new(&aside).display()).into());
        }
        std::fs::rename(state, &aside)?;
        println!("kept     {}", Path::new(&aside).display());
    }
    private_dir(state)?;
    match sqlite_file(&config) {
        Some(file) if args.from.join(STORE).is_file() => copy_private(&args.from.join(STORE), &file)?,
        Some(_) => println!("store    the backup holds none"),
        None => println!("store    is PostgreSQL: put it back with its own tools"),
    }
    copy_private(&args.from.join(JOURNAL), &config.store.journal)?;
    for folder in FOLDERS {
        if args.from.join(folder).is_dir() {
            copy_folder(&args.from.join(folder), &state.join(folder))?;
        }
    }
    println!("restored into {}", state.display());
    Ok(ExitCode::SUCCESS)
}

fn sqlite_file(config: &Config) -> Option<PathBuf> {
    config.store.url.strip_prefix("sqlite:").map(PathBuf::from)
}

fn private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn copy_private(from: &Path, to: &Path) -> std::io::Result<()> {
    crate::secrets::write_private(to, &std::fs::read(from)?)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    private_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            copy_private(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
