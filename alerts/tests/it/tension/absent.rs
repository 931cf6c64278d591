//! What the index must not know of: the hub's own counts, alerts, cameras and sites.

use std::path::{Path, PathBuf};

use qorgan_alerts::Store;

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// What a source says to the compiler: without comments and texts.
fn code(source: &str) -> String {
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").split('"').step_by(2).collect()
}

/// Words of the sources of a module that would bring the hub's own observations into the index.
fn forbidden(dir: &str) -> Vec<String> {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files);
    assert!(!files.is_empty());
    let types = [
        "Count",
        "CountSource",
        "ZoneCount",
        "Alert",
        "AlertId",
        "Alarm",
        "DeviceRef",
        "DeviceId",
        "SiteId",
        "Event",
        "Fusion",
        "Engine",
        "Journal",
        "Transition",
        "Store",
    ];
    let modules = ["fusion", "engine", "journal", "life", "ring", "spool", "supervision", "store", "badge"];
    let mut found = Vec::new();
    for file in files {
        // `ValueKind::Count` is a number of events that an indicator states, not a count of the hub.
        let code = code(&std::fs::read_to_string(&file).unwrap()).replace("ValueKind::Count", "");
        let words: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        found.extend(types.iter().filter(|t| words.contains(t)).map(|t| format!("{} names {t}", file.display())));
        for module in modules {
            if code.contains(&format!("crate::{module}")) || code.contains(&format!("super::super::{module}")) {
                found.push(format!("{} uses crate::{module}", file.display()));
            }
        }
    }
    found
}

#[test]
fn nothing_of_counts_or_alerts_is_named_where_the_index_is_made() {
    assert_eq!(forbidden("src/tension"), Vec::<String>::new());
    // The search itself works: where alerts are made it finds plenty.
    assert!(forbidden("src/fusion").len() > 5);
}

#[test]
fn nothing_of_the_index_is_named_where_alerts_are_made() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> =
        ["src/life.rs", "src/ring.rs", "src/store/alerts.rs", "../api/src/hub/doors.rs", "../api/src/hub/orders.rs"]
            .map(|file| here.join(file))
            .into();
    for dir in ["src/fusion", "src/engine", "src/usual", "../api/src/connect"] {
        rust_files(&here.join(dir), &mut files);
    }
    assert!(files.len() > 25, "{files:?}");
    let types =
        ["Observation", "Catalogue", "Index", "ContextShare", "Surroundings", "Explanation", "RequestsNear", "Assembly", "SpecialPlace"];
    for file in files {
        let code = code(&std::fs::read_to_string(&file).unwrap());
        let words: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        for word in types {
            assert!(!words.contains(&word), "{} names {word}", file.display());
        }
        for path in ["crate::tension", "crate::context", "alerts::tension", "alerts::context", "app.tension"] {
            assert!(!code.contains(path), "{} uses {path}", file.display());
        }
    }
}

#[tokio::test]
async fn no_table_of_values_or_index_has_a_column_for_a_device_a_count_or_an_alert() {
    use sqlx::{Connection, Row, SqliteConnection};
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/schema.db", dir.path().display());
    Store::open(&url).await.unwrap().close().await;
    let mut store = SqliteConnection::connect(&url).await.unwrap();
    let tables =
        sqlx::query("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND (name LIKE 'tension%' OR name LIKE 'indicator%')");
    let tables = tables.fetch_all(&mut store).await.unwrap();
    assert!(tables.len() >= 3);
    for table in tables {
        let (name, sql): (String, String) = (table.get("name"), table.get::<String, _>("sql").to_lowercase());
        assert!(!sql.contains("references"), "{name} refers to another table: {sql}");
        let columns = sqlx::query("SELECT name FROM pragma_table_info($1)").bind(&name).fetch_all(&mut store).await.unwrap();
        for column in columns {
            let column: String = column.get("name");
            for word in ["camera", "device", "site", "alert", "alarm", "count_raw", "people", "detection", "track", "person", "author"] {
                assert!(!column.contains(word), "{name}.{column}");
            }
        }
    }
}
