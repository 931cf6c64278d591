//! Judges the keys of a camera against everything around it: its site, the areas, and where its passwords come from.

use std::path::Path;

use qorgan_domain::{AreaCode, DeviceId, DeviceRef, GeoPoint, SiteId, Trilingual, UnitId};

use super::{Camera, CameraKeys, CameraKind, Clip, ClipKeys, Onvif, OnvifKeys, Origin, Transport, scene};
use crate::{
    areas::Areas,
    cameras::check_url,
    config::{SecretSource, SiteKind, read::under},
};

/// Fewest people in public space that any limit may name (safeguard: no smaller group is ever a matter of alerts).
pub(in crate::config) const PUBLIC_SPACE_MIN_LIMIT: f32 = 20.0;
/// Longest name, in characters.
const MAX_NAME: usize = 120;

/// What a camera is judged against.
pub struct Around<'a> {
    /// Its site.
    pub site: &'a SiteId,
    /// School or public place.
    pub kind: SiteKind,
    /// Where the site is.
    pub position: GeoPoint,
    /// Its district, and the outlines it must lie in.
    pub area: Option<(&'a AreaCode, &'a Areas)>,
    /// Where its passwords come from.
    pub secrets: Secrets<'a>,
}

/// Where the passwords of a camera come from, and with them everything else that names files of this machine.
pub enum Secrets<'a> {
    /// From the configuration file, which lies in this directory: by variable or file.
    File(&'a Path),
    /// From the store. Such a camera may name no files and no variables of this machine: whoever adds cameras over the network could
    /// read them out by sending them to a "camera" of their own. Footage lies in this directory, if there is one.
    Store(&'a Kept, Option<&'a Path>),
}

/// Passwords of a camera that was added at run time.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// At the camera.
    pub password: Option<String>,
    /// At its ONVIF service; that of the camera when none.
    pub onvif_password: Option<String>,
}

/// What is wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The key: `limit`, `zone.0.polygon`.
    pub key: String,
    /// What is wrong.
    pub message: String,
}

/// Reads the keys of a camera; everything that is wrong with them at once.
pub fn judge(keys: &CameraKeys, around: &Around<'_>) -> Result<Camera, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let mut say = |key: &str, message: String| complaints.push(Complaint { key: key.into(), message });
    let device = keys.id.parse::<DeviceId>().map_err(|error| say("id", format!("\"{}\": {error}", keys.id)));
    if device.as_ref().is_ok_and(|device| device.as_str() == qorgan_ingest::mqtt::EDGE) {
        say("id", format!("\"{}\": under this word the site's edge box speaks about itself", keys.id));
    }
    name(&keys.name, "name", &mut say);
    let unit = unit(keys, &mut say);
    let position = position(keys, around, &mut say);
    addresses(keys, around, &mut say);
    limits(keys, around.kind, &mut say);
    let login = login(keys, around, &mut say);
    let clip = keys.clip.and_then(|clip| clip_of(clip, keys, &mut say));
    let onvif = keys.onvif.as_ref().and_then(|onvif| onvif_of(onvif, around, &mut say));
    for (at, zone) in keys.zone.iter().enumerate() {
        name(&zone.name, &format!("zone.{at}.name"), &mut say);
    }
    for (at, line) in keys.line.iter().enumerate() {
        name(&line.name, &format!("line.{at}.name"), &mut say);
    }
    let scene = scene::scene(keys, &mut complaints);
    let (Ok(device), true) = (device, complaints.is_empty()) else { return Err(complaints) };
    let (base, origin) = match around.secrets {
        Secrets::File(base) => (Some(base), Origin::File),
        Secrets::Store(..) => (None, Origin::RunTime),
    };
    Ok(Camera {
        id: DeviceRef::new(around.site.clone(), device),
        name: keys.name.clone(),
        kind: keys.kind,
        unit,
        position,
        url: keys.url.clone(),
        sub: keys.sub.clone(),
        transport: keys.transport,
        tls_ca: keys.tls_ca.as_ref().zip(base).map(|(ca, base)| under(base, ca)),
        tls_insecure: keys.tls_insecure,
        login,
        limit: keys.limit,
        staleness_s: keys.staleness_s,
        counts_itself: keys.counts_itself,
        scene,
        clip,
        onvif,
        origin,
        keys: Box::new(keys.clone()),
    })
}

fn name(name: &Trilingual, key: &str, say: &mut dyn FnMut(&str, String)) {
    for (language, text) in [("kk", &name.kk), ("ru", &name.ru), ("en", &name.en)] {
        if text.trim().is_empty() || text.chars().count() > MAX_NAME {
            say(key, format!("{key}.{language} is not 1 to {MAX_NAME} characters"));
        }
    }
}

fn unit(keys: &CameraKeys, say: &mut dyn FnMut(&str, String)) -> Option<UnitId> {
    let unit = keys.unit.as_ref()?;
    if keys.kind != CameraKind::Badge {
        say("unit", "only a badge is worn by a unit".to_owned());
    }
    unit.parse().map_err(|error| say("unit", format!("\"{unit}\": {error}"))).ok()
}

fn position(keys: &CameraKeys, around: &Around<'_>, say: &mut dyn FnMut(&str, String)) -> GeoPoint {
    let Some(raw) = keys.position else { return around.position };
    let point = match GeoPoint::try_from(raw) {
        Ok(point) => point,
        Err(error) => {
            say("position", error.to_string());
            return around.position;
        }
    };
    if let Some((area, areas)) = around.area
        && let Err(reason) = areas.check_inside(point, area)
    {
        say("position", reason.to_string());
    }
    point
}

fn addresses(keys: &CameraKeys, around: &Around<'_>, say: &mut dyn FnMut(&str, String)) {
    for (key, url) in [("url", &keys.url), ("sub", &keys.sub)] {
        let Some(url) = url else { continue };
        if let Err(reason) = check_url(url) {
            say(key, reason.to_string());
        } else if let Secrets::Store(_, footage) = around.secrets
            && let Some(path) = file_of(url)
            && !footage.is_some_and(|dir| within(dir, path))
        {
            let place = footage.map_or_else(|| "cameras.footage_dir, which is not set".to_owned(), |dir| dir.display().to_string());
            say(key, format!("a file may be given at run time only where it lies in {place}"));
        }
    }
    let scheme = |url: &Option<String>| url.as_deref().and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme.to_owned());
    let main = scheme(&keys.url);
    if keys.sub.is_some() && keys.url.is_none() {
        say("sub", "a sub stream needs the main one: url".to_owned());
    }
    if keys.kind == CameraKind::Badge && keys.url.is_some() && main.as_deref() != Some("srt") {
        say("url", "a badge pushes by SRT: srt://ADDRESS:PORT to listen at".to_owned());
    }
    if keys.transport != Transport::Auto && !matches!(main.as_deref(), Some("rtsp" | "rtsps")) {
        say("transport", "transport is for rtsp:// and rtsps:// only".to_owned());
    }
    if (keys.tls_ca.is_some() || keys.tls_insecure) && !matches!(main.as_deref(), Some("rtsps" | "https")) {
        say("tls_ca", "tls_ca and tls_insecure are for rtsps:// and https:// only".to_owned());
    }
    if keys.tls_ca.is_some() && keys.tls_insecure {
        say("tls_insecure", "give either tls_ca or tls_insecure".to_owned());
    }
    if let (Secrets::Store(..), Some(_)) = (&around.secrets, &keys.tls_ca) {
        say("tls_ca", "a file of this machine can be named in the configuration file only".to_owned());
    }
}

/// The path of a camera address that is a file.
fn file_of(url: &str) -> Option<&Path> {
    match url.split_once("://") {
        None => Some(Path::new(url)),
        Some(("file", path)) => Some(Path::new(path)),
        Some(_) => None,
    }
}

/// Whether a path lies in a directory, by its letters: no `..`, no other root.
fn within(dir: &Path, path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| !matches!(part, std::path::Component::ParentDir)) && path.starts_with(dir)
}

fn limits(keys: &CameraKeys, kind: SiteKind, say: &mut dyn FnMut(&str, String)) {
    if let Some(people) = keys.limit {
        let least = if kind == SiteKind::PublicPlace { PUBLIC_SPACE_MIN_LIMIT } else { 1.0 };
        if !(people >= least && people <= qorgan_domain::count::MAX_PEOPLE) {
            let why = if kind == SiteKind::PublicPlace { " (in public space no limit may name fewer than 20 people)" } else { "" };
            say("limit", format!("limit {people} is not {least} to 100000 people{why}"));
        }
    }
    if let Some(staleness) = keys.staleness_s
        && !(1..=3_600).contains(&staleness)
    {
        say("staleness_s", format!("staleness_s {staleness} is not 1 to 3600 seconds"));
    }
}

fn login(keys: &CameraKeys, around: &Around<'_>, say: &mut dyn FnMut(&str, String)) -> Option<(String, SecretSource)> {
    let passphrase = keys.url.as_deref().is_some_and(|url| url.starts_with("srt://"));
    let secret = match &around.secrets {
        Secrets::File(base) => from_file(keys.password_env.as_ref(), keys.password_file.as_ref(), base, "", say),
        Secrets::Store(kept, _) => {
            none_of(keys.password_env.as_ref().or(keys.password_file.as_ref()), "", say);
            kept.password.clone().map(SecretSource::kept)
        }
    };
    match (&keys.user, secret) {
        (Some(user), Some(secret)) => Some((user.clone(), secret)),
        (None, Some(secret)) if passphrase => Some((String::new(), secret)),
        (None, Some(_)) => {
            say("user", "a password needs a user".to_owned());
            None
        }
        (Some(_), None) => {
            say("user", "user needs password_env or password_file".to_owned());
            None
        }
        (None, None) => None,
    }
}

fn from_file(
    env: Option<&String>,
    file: Option<&String>,
    base: &Path,
    of: &str,
    say: &mut dyn FnMut(&str, String),
) -> Option<SecretSource> {
    match (env, file) {
        (Some(_), Some(_)) => {
            say(&format!("{of}password_file"), "give password_env or password_file, not both".to_owned());
            None
        }
        (Some(env), None) => Some(SecretSource::Env(env.clone())),
        (None, Some(file)) => Some(SecretSource::File(under(base, file))),
        (None, None) => None,
    }
}

fn none_of(named: Option<&String>, of: &str, say: &mut dyn FnMut(&str, String)) {
    if named.is_some() {
        let why = "a variable or a file of this machine can be named in the configuration file only; give the password itself";
        say(&format!("{of}password_env"), why.to_owned());
    }
}

fn clip_of(clip: ClipKeys, keys: &CameraKeys, say: &mut dyn FnMut(&str, String)) -> Option<Clip> {
    let ClipKeys { before_s, after_s, keep_days } = clip;
    if keys.url.is_none() {
        say("clip", "a clip needs the camera's url".to_owned());
    }
    let mut holds = true;
    for (what, value, least, most) in [("before_s", before_s, 0, 60), ("after_s", after_s, 1, 300), ("keep_days", keep_days, 1, 30)] {
        if !(least..=most).contains(&value) {
            say("clip", format!("clip.{what} {value} is not {least} to {most}"));
            holds = false;
        }
    }
    holds.then_some(Clip { before_s, after_s, keep_days })
}

/// The device service of a device: of its host, or as given. No log-in may stand in it.
pub(crate) fn service_address(given: &str) -> Option<url::Url> {
    let text = match given.contains("://") {
        true => given.to_owned(),
        false => format!("http://{given}/onvif/device_service"),
    };
    let address = url::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    address.filter(|url| url.host_str().is_some_and(|h| !h.is_empty()) && url.username().is_empty() && url.password().is_none())
}

fn onvif_of(keys: &OnvifKeys, around: &Around<'_>, say: &mut dyn FnMut(&str, String)) -> Option<Onvif> {
    let address = service_address(&keys.address);
    if address.is_none() {
        say("onvif", "onvif.address is neither a host nor http(s)://host/path without a log-in".to_owned());
    }
    let secret = match &around.secrets {
        Secrets::File(base) => from_file(keys.password_env.as_ref(), keys.password_file.as_ref(), base, "onvif.", say),
        Secrets::Store(kept, _) => {
            none_of(keys.password_env.as_ref().or(keys.password_file.as_ref()), "onvif.", say);
            kept.onvif_password.clone().or_else(|| kept.password.clone()).map(SecretSource::kept)
        }
    };
    if keys.user.is_some() && secret.is_none() {
        say("onvif.user", "onvif.user needs a password".to_owned());
    }
    Some(Onvif { address: address?, login: keys.user.clone().zip(secret), recording: keys.recording.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(more: &str) -> CameraKeys {
        toml::from_str(&format!("id = \"yard\"\nname = {{ kk = \"Аула\", ru = \"Двор\", en = \"Yard\" }}\n{more}")).unwrap()
    }

    fn judged(more: &str, secrets: Secrets<'_>) -> Result<Camera, Vec<Complaint>> {
        let site = "school-17".parse().unwrap();
        let position = GeoPoint::new(42.9, 71.37).unwrap();
        judge(&keys(more), &Around { site: &site, kind: SiteKind::PublicPlace, position, area: None, secrets })
    }

    fn complaint(more: &str) -> String {
        let all = judged(more, Secrets::File(Path::new("/etc/qorgan"))).map(drop).expect_err(more);
        all.iter().map(|c| format!("{}: {}", c.key, c.message)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_whole_camera_reads() {
        let camera = judged(
            "url = \"rtsps://192.0.2.7/main\"\nsub = \"rtsps://192.0.2.7/sub\"\ntransport = \"tcp\"\ntls_ca = \"ca.pem\"\nuser = \"hub\"\n\
             password_file = \"yard-password\"\nlimit = 25\nstaleness_s = 3\nclip = { before_s = 5, after_s = 20, keep_days = 7 }\n\
             onvif = { address = \"192.0.2.7:8080\", user = \"hub\", password_env = \"ONVIF\" }\n\
             [calibration]\npoints = [[0.2, 0.9], [0.8, 0.9], [0.7, 0.5], [0.3, 0.5]]\nsides_m = [6, 8, 6, 8]\n\
             [[zone]]\nid = \"stairs\"\nname = { kk = \"Баспалдақ\", ru = \"Лестница\", en = \"Stairs\" }\n\
             polygon = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]\nmax_people_per_m2 = 3.6\ncapacity = 40\n\
             [[line]]\nid = \"door\"\nname = { kk = \"Есік\", ru = \"Дверь\", en = \"Door\" }\npoints = [[0.1, 0.5], [0.4, 0.5]]\nwidth_m = 1.2\n\
             [[mask]]\npolygon = [[0.6, 0.1], [0.9, 0.1], [0.9, 0.4]]\n",
            Secrets::File(Path::new("/etc/qorgan")),
        )
        .unwrap();
        assert_eq!(camera.tls_ca.as_deref(), Some(Path::new("/etc/qorgan/ca.pem")));
        assert_eq!(camera.onvif.as_ref().unwrap().address.as_str(), "http://192.0.2.7:8080/onvif/device_service");
        assert_eq!((camera.scene.zones.len(), camera.scene.lines.len(), camera.scene.masks.len()), (1, 1, 1));
        assert!(camera.scene.calibration.is_some() && camera.is_counted_here());
        assert_eq!(camera.clip, Some(Clip { before_s: 5, after_s: 20, keep_days: 7 }));
        // What fusion is told: without it no configured limit of density or flow ever made a warning.
        let rule = camera.scene.rule();
        let told: Vec<(&str, f32)> = rule.zone_limits_per_m2.iter().chain(&rule.line_widths_m).map(|(id, n)| (id.as_str(), *n)).collect();
        assert_eq!(told, [("stairs", 3.6), ("door", 1.2)]);
    }

    #[test]
    fn every_fault_is_said_under_its_key() {
        for (more, expected) in [
            ("url = \"ftp://192.0.2.7/\"", "url: camera address"),
            ("url = \"rtsp://admin:1@192.0.2.7/\"", "holds a user or password"),
            ("sub = \"rtsp://192.0.2.7/\"", "sub: a sub stream needs"),
            ("url = \"rtsp://192.0.2.7/\"\nkind = \"badge\"", "url: a badge pushes by SRT"),
            ("url = \"http://192.0.2.7/\"\ntransport = \"udp\"", "transport: transport is for"),
            ("url = \"rtsp://192.0.2.7/\"\ntls_insecure = true", "tls_ca: tls_ca and tls_insecure"),
            ("limit = 19", "limit: limit 19 is not 20"),
            ("staleness_s = 0", "staleness_s: staleness_s 0"),
            ("user = \"hub\"", "user: user needs password_env"),
            ("password_env = \"X\"", "user: a password needs a user"),
            ("url = \"rtsp://h/\"\nclip = { keep_days = 31 }", "clip: clip.keep_days 31"),
            ("clip = {}", "clip: a clip needs"),
            ("onvif = { address = \"http://a:b@h/\" }", "onvif: onvif.address"),
            ("[[mask]]\npolygon = [[0.6, 0.1], [0.9, 0.1]]", "mask.0.polygon: mask 1: 2 corners"),
            (
                "[[line]]\nid = \"a\"\nname = { kk = \"a\", ru = \"a\", en = \"a\" }\npoints = [[0.1, 0.1], [0.5, 0.5]]\nwidth_m = 0.2",
                "line.0.width_m: line \"a\": width_m 0.2",
            ),
            (
                "[[line]]\nid = \"a\"\nname = { kk = \"a\", ru = \"a\", en = \"a\" }\npoints = [[0.1, 0.1]]",
                "line.0.points: line \"a\": 1 points",
            ),
        ] {
            let said = complaint(more);
            assert!(said.contains(expected), "{more}:\n{said}");
        }
    }

    #[test]
    fn at_run_time_no_file_and_no_variable_of_this_machine_can_be_named() {
        let kept = Kept { password: Some("hunter2".into()), onvif_password: None };
        let at_run_time = |more: &str, footage: Option<&Path>| judged(more, Secrets::Store(&kept, footage));
        for more in [
            "url = \"/etc/passwd\"\nuser = \"x\"",
            "url = \"file:///etc/passwd\"\nuser = \"x\"",
            "url = \"rtsps://h/\"\ntls_ca = \"/etc/passwd\"\nuser = \"x\"",
            "url = \"rtsp://h/\"\nuser = \"x\"\npassword_env = \"QORGAN_STORE_PASSWORD\"",
            "url = \"rtsp://h/\"\nuser = \"x\"\npassword_file = \"/etc/shadow\"",
        ] {
            assert!(at_run_time(more, None).is_err(), "{more}");
        }
        let dir = Some(Path::new("/srv/footage"));
        assert!(at_run_time("url = \"/srv/footage/a.mp4\"\nuser = \"x\"", dir).is_ok());
        assert!(at_run_time("url = \"/srv/footage/../../etc/passwd\"\nuser = \"x\"", dir).is_err());
        let camera = at_run_time("url = \"rtsp://h/\"\nuser = \"x\"", None).unwrap();
        assert!(!format!("{camera:?}").contains("hunter2"), "a password is printed");
        assert_eq!(camera.origin, Origin::RunTime);
    }
}
