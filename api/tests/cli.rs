//! The command line, as somebody types it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{path::Path, process::Command};

fn qorgan(args: &[&str]) -> (bool, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_qorgan")).args(args).output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The demo configuration with one text replaced, in a folder of its own beside copies of the files that it names.
fn config_with(from: &str, to: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(repository().join("configs/demo.toml")).unwrap();
    assert!(text.contains(from), "the demo configuration has no {from:?} any more");
    std::fs::create_dir(dir.path().join("areas")).unwrap();
    for name in ["areas/zhambyl.geojson", "requests.toml", "plan.toml", "indicators.toml", "demo-indicators.csv", "demo-feed.xml"] {
        std::fs::copy(repository().join("configs").join(name), dir.path().join(name)).unwrap();
    }
    let file = dir.path().join("site.toml");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    (dir, file.to_str().unwrap().to_owned())
}

#[test]
fn every_command_has_help_worth_reading() {
    let (ok, top) = qorgan(&["--help"]);
    assert!(ok);
    for command in
        ["run", "edge", "centre", "check-config", "button", "panel", "models", "probe", "count", "user", "backup", "restore", "doctor"]
    {
        assert!(top.contains(command), "{command} is missing in --help");
        let (ok, help) = qorgan(&[command, "--help"]);
        assert!(ok && help.lines().count() >= 6, "{command} --help says too little:\n{help}");
    }
}

#[test]
fn the_demo_configuration_has_no_problem() {
    let (ok, out) = qorgan(&["check-config", repository().join("configs/demo.toml").to_str().unwrap()]);
    assert!(ok, "{out}");
}

#[test]
fn the_example_with_every_key_of_a_camera_has_no_problem() {
    let (ok, out) = qorgan(&["check-config", repository().join("configs/cameras.toml").to_str().unwrap()]);
    assert!(ok, "{out}");
}

#[test]
fn a_fault_deep_in_a_camera_is_named_with_its_own_line() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(repository().join("configs/cameras.toml")).unwrap();
    std::fs::create_dir(dir.path().join("areas")).unwrap();
    std::fs::copy(repository().join("configs/areas/zhambyl.geojson"), dir.path().join("areas/zhambyl.geojson")).unwrap();
    let file = dir.path().join("site.toml");
    for (from, to, expected) in [
        ("polygon = [[0.7, 0.0], [1.0, 0.0], [1.0, 0.3]", "polygon = [[0.7, 0.0], [1.5, 0.0], [1.0, 0.3]", "not a place in the picture"),
        ("max_people_per_m2 = 3.6", "max_people_per_m2 = 36", "is not 0.1 to 10"),
        ("points = [[0.1, 0.5], [0.4, 0.5]]", "points = [[0.1, 0.5]]", "are not two"),
        ("width_m = 3.5", "width_m = 0.1", "is not 0.5 to 200 metres"),
        ("width_m = 3.5", "widht_m = 3.5", "did you mean \"width_m\""),
        ("sides_m = [6.0, 10.0, 6.0, 10.0]", "sides_m = [6.0, 10.0, 3.0, 10.0]", "give diagonal_m"),
        ("staleness_s = 5", "staleness_s = 0", "is not 1 to 3600"),
        ("format = \"frigate\"", "format = \"frigat\"", "is not onvif, frigate or json-pointer"),
        ("topic = \"counter/7/state\"", "topic = \"qorgan/v1/alert/1\"", "topic of the hub"),
        ("min_fps = 5", "min_fps = 0", "cameras.min_fps 0 is not"),
        ("capacity = 40", "capacty = 40", "did you mean \"capacity\""),
        ("unit = \"patrol-2\"", "unit = \"patrol-9\"", "there is no unit \"patrol-9\""),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let (ok, out) = qorgan(&["check-config", file.to_str().unwrap()]);
        let line = text.replacen(from, to, 1).lines().position(|line| line.contains(to)).unwrap() + 1;
        assert!(!ok && out.contains(expected) && out.contains(&format!("site.toml:{line}:")), "{to}, line {line}:\n{out}");
    }
}

#[test]
fn a_mistyped_key_is_named_with_its_line_and_the_key_that_was_meant() {
    let (_dir, file) = config_with("limit = 7 ", "limt = 7 ");
    let (ok, out) = qorgan(&["check-config", &file]);
    assert!(!ok);
    let line = std::fs::read_to_string(&file).unwrap().lines().position(|l| l.starts_with("limt")).unwrap() + 1;
    assert!(out.contains(&format!("site.toml:{line}:")), "{out}");
    assert!(out.contains("\"limt\"") && out.contains("did you mean \"limit\""), "{out}");
}

#[test]
fn bad_values_are_errors_that_name_the_thing() {
    for (from, to, expected) in [
        ("id = \"gate\"", "id = \"yard\"", "stands twice"),
        ("territory = [\"311000000\"]", "territory = [\"999999999\"]", "unit \"patrol-2\": area 999999999 is not in the areas file"),
        ("id = \"roadside\"", "id = \"road side\"", "hazard_source \"road side\""),
        ("id = \"school-17\"", "id = \"hazard\"", "taken by the topics"),
        ("rtsp://127.0.0.1:8554/gate", "rtsp://admin:secret@127.0.0.1:8554/gate", "holds a user or password"),
        ("rtsp://127.0.0.1:8554/gate", "ftp://127.0.0.1:8554/gate", "neither rtsp://"),
        ("position = [42.9021, 71.3782]", "position = [71.3782, 42.9021]", "school-17"),
        ("position = [42.9021, 71.3782]", "position = [142.9021, 71.3782]", "is not a place"),
        ("area = \"311000000\"", "area = \"999999999\"", "is not in the areas file"),
        ("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\"", "other addresses need TLS"),
        ("listen = \"127.0.0.1:1883\"", "listen = \"0.0.0.0:1883\"", "other addresses need TLS"),
        ("limit = 25 ", "limit = 19 ", "fewer than 20 people"),
        ("id = \"school-17\"", "id = \"School 17\"", "may hold only"),
        ("language = \"kk\" ", "language = \"de\" ", "is not kk, ru or en"),
        ("kind = \"school\"", "kind = \"prison\"", "unknown variant"),
        ("settle_s = 15", "settle_s = 0", "supervision.settle_s 0 is not 1 to 300 seconds"),
        ("edge_interval_s = 90", "edge_interval_s = 1", "is not 2 to"),
        ("id = \"canteen\"", "id = \"canteen\"\ncategory = \"dp5\"", "is none of EN 50136: sp1"),
        ("id = \"canteen\"", "id = \"canteen\"\ncategory = \"dp4\"\ninterval_s = 90", "give either interval_s or category"),
        ("id = \"canteen\"", "id = \"edge\"", "under this word the site's edge box speaks"),
        ("kind = \"school\"", "kind = \"school\"\nprovider = \" \"", "is not a name of 1 to 64"),
        ("tcp = \"127.0.0.1:12000\"", "tcp = \"0.0.0.0:12000\"", "needs require_encryption = true and a key for every panel"),
        ("udp = \"127.0.0.1:12000\"", "require_encryption = true", "no key_env or key_file"),
        ("account = \"7001\"", "account = \"70 01\"", "letters and digits"),
        ("button = \"reception\"", "button = \"receptoin\"", "there is no button \"receptoin\""),
        ("zone = \"005\"", "zone = \"5x\"", "is not 1 to 8 digits"),
        ("interval_s = 86400 ", "interval_s = 5 ", "is not 10 to 604800 seconds"),
        ("id = \"panel\"", "id = \"yard\"", "stands twice"),
    ] {
        let (_dir, file) = config_with(from, to);
        let (ok, out) = qorgan(&["check-config", &file]);
        assert!(!ok && out.contains(expected) && out.contains("site.toml:"), "{from} -> {to}:\n{out}");
        assert!(!out.contains("secret"), "the message repeats a password:\n{out}");
    }
}

#[test]
fn every_key_of_crowd_is_judged_and_a_bad_one_is_named_with_its_line() {
    for (line, expected) in [
        ("safety_after_s = 61", "crowd.safety_after_s 61 is not 1 to 60 seconds"),
        ("merge_min = 0", "crowd.merge_min 0 is not 1 to 120 minutes"),
        ("silence_s = 29", "crowd.silence_s 29 is not 30 to 3600 seconds"),
        ("max_gap_s = 5", "crowd.max_gap_s 5 is not 10 to 3600 seconds"),
        ("stale_s = 601", "crowd.stale_s 601 is not 10 to 600 seconds"),
        ("update_every_s = 0", "crowd.update_every_s 0 is not 1 to 60 seconds"),
        ("min_people = 0", "crowd.min_people 0 is not 1 to 1000 people"),
        ("min_people_public = 1", "crowd.min_people_public 1 is not 2 to 1000 people"),
        ("memory_min = 59", "crowd.memory_min 59 is not 60 to 10080 minutes"),
        ("memory_needs_min = 361", "crowd.memory_needs_min 361 is not 10 to 360 minutes"),
        ("nearby_m = 49", "crowd.nearby_m 49 is not 50 to 2000 metres"),
        ("verdict_floor = 0.95", "crowd.verdict_floor 0.95 is not between 0.05 and 0.9"),
        ("formula = \"crowd-v9\"", "crowd.formula \"crowd-v9\" is none of crowd-v1, crowd-v2"),
        ("saftey_after_s = 10", "did you mean \"safety_after_s\""),
        // Who is too many in public space is no setting.
        ("warning_people = 5", "unknown key \"warning_people\""),
    ] {
        let (_dir, file) = config_with("[crowd]\n", &format!("[crowd]\n{line}\n"));
        let (ok, out) = qorgan(&["check-config", &file]);
        let at = std::fs::read_to_string(&file).unwrap().lines().position(|l| l == line).unwrap() + 1;
        assert!(!ok && out.contains(expected) && out.contains(&format!("site.toml:{at}:")), "{line}, line {at}:\n{out}");
    }
    // What stands in comments of the demonstration is what holds without them.
    let text = std::fs::read_to_string(repository().join("configs/demo.toml")).unwrap();
    let shown =
        text.lines().skip_while(|l| *l != "[crowd]").take_while(|l| !l.starts_with("[intake]")).filter(|l| l.starts_with("# ")).count();
    assert!(shown >= 17, "{shown} keys of [crowd] are shown");
}

#[test]
fn every_problem_is_reported_at_once() {
    let (_dir, file) = config_with("limit = 25 ", "limit = 19 ");
    let text = std::fs::read_to_string(&file).unwrap().replace("id = \"gate\"", "id = \"yard\"");
    std::fs::write(&file, text).unwrap();
    let (_, out) = qorgan(&["check-config", &file]);
    assert_eq!(out.matches("site.toml:").count(), 2, "{out}");
}

#[test]
fn accounts_can_be_added_listed_and_given_a_new_password_before_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = repository().join("configs/demo.toml");
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let common = ["user", "--config", config.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
    let run = |rest: &[&str]| qorgan(&[&common[..], rest].concat());
    let (ok, out) = run(&["add", "saule", "--role", "duty_officer", "--name", "Сәуле"]);
    assert!(ok && out.contains("saule: password "), "{out}");
    assert!(!run(&["add", "saule", "--role", "duty_officer"]).0, "the same account was added twice");
    assert!(!run(&["add", "gulnar", "--role", "school_contact"]).0, "a school contact without a site was added");
    let (ok, again) = run(&["passwd", "saule"]);
    assert!(ok && again.contains("saule: password ") && again != out, "{again}");
    let (ok, list) = run(&["list"]);
    assert!(ok && list.contains("saule") && list.contains("duty_officer"), "{list}");
}
