//! Configurations made for a test: many buttons, or many cameras, all paths absolute.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use crate::paths;

/// The one site of these configurations.
pub const SITE: &str = "school-18";

fn head() -> String {
    head_with("")
}

fn head_with(models: &str) -> String {
    let root = paths::root();
    format!(
        "areas = \"{root}/configs/areas/zhambyl.geojson\"\n[hub]\nname = \"Test\"\nstate_dir = \"state\"\ndemo_logins = true\n\
         [models]\ndir = \"{root}/models\"\nfetched = \"{root}/var/models\"\nruntime = \"{root}/var/lib/libonnxruntime.so.1.31.1\"\n{models}\
         [[site]]\nid = \"{SITE}\"\nname = {NAME}\nkind = \"school\"\narea = \"311000000\"\nposition = [42.9, 71.37]\n",
        root = root.display()
    )
}

const NAME: &str = "{ kk = \"a\", ru = \"b\", en = \"c\" }";

/// The demonstration's configuration for a file in another folder: what it names relative to itself is absolute.
pub fn demo() -> io::Result<String> {
    let configs = paths::root().join("configs");
    let mut text = std::fs::read_to_string(configs.join("demo.toml"))?;
    for name in ["areas/zhambyl.geojson", "requests.toml", "plan.toml", "indicators.toml", "demo-indicators.csv", "demo-feed.xml"] {
        text = text.replace(&format!("\"{name}\""), &format!("\"{}\"", configs.join(name).display()));
    }
    Ok(text)
}

/// A site with buttons `b0`, `b1`, ...
pub fn many_buttons(dir: &Path, count: usize) -> io::Result<PathBuf> {
    let mut text = head();
    for i in 0..count {
        let _ = writeln!(text, "[[site.button]]\nid = \"b{i}\"\nname = {NAME}");
    }
    write(dir, "buttons.toml", text)
}

/// A site with buttons `b0`, `b1`, ... and cameras `c0`, `c1`, ... that count by themselves.
pub fn buttons_and_counters(dir: &Path, buttons: usize, cameras: usize) -> io::Result<PathBuf> {
    let mut text = head();
    for i in 0..buttons {
        let _ = writeln!(text, "[[site.button]]\nid = \"b{i}\"\nname = {NAME}");
    }
    for i in 0..cameras {
        let _ = writeln!(text, "[[site.camera]]\nid = \"c{i}\"\nname = {NAME}");
    }
    write(dir, "load.toml", text)
}

/// A site with cameras `c0`, `c1`, ... that take the addresses in turn.
pub fn many_cameras(dir: &Path, count: usize, urls: &[String]) -> io::Result<PathBuf> {
    many_cameras_with(dir, count, urls, "")
}

/// The same, with further lines of the table `[models]`.
pub fn many_cameras_with(dir: &Path, count: usize, urls: &[String], models: &str) -> io::Result<PathBuf> {
    let mut text = head_with(models);
    for (i, url) in (0..count).zip(urls.iter().cycle()) {
        let _ = writeln!(text, "[[site.camera]]\nid = \"c{i}\"\nname = {NAME}\nurl = \"{url}\"");
    }
    write(dir, "cameras.toml", text)
}

fn write(dir: &Path, name: &str, text: String) -> io::Result<PathBuf> {
    let file = dir.join(name);
    std::fs::write(&file, text)?;
    Ok(file)
}
