//! Manifests and real files: what is refused, and that each refusal says what is wrong, where, and what was expected.
//!
//! Needs the library and the weights that set-up installs; their absence is a failure that names the script.

#[path = "models/counting.rs"]
mod counting;
#[path = "models/families.rs"]
mod families;

use std::{
    fs,
    path::{Path, PathBuf},
};

use qorgan_domain::I420;
use qorgan_inference::{
    Catalogue, CrowdModel, DensityMap, Detector, Faces, Manifest, ModelDirs, ModelError, ModelState, Provider, Runtime, count_image,
    from_image, list_models, still_jpeg, verify,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn runtime() -> Runtime {
    let path = root().join("var/lib/libonnxruntime.so.1.31.1");
    Runtime::load(&path).expect("ONNX Runtime is installed: run scripts/onnxruntime.sh")
}

fn real_dirs() -> ModelDirs {
    ModelDirs::new(root().join("models"), root().join("var"))
}

/// A directory of models of its own, with the real NanoDet manifest after `change` and the real weights.
fn altered(change: impl Fn(String) -> String) -> (tempfile::TempDir, ModelDirs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = fs::read_to_string(root().join("models/nanodet-g-416.toml")).expect("the manifest");
    let changed = change(text.clone());
    assert_ne!(changed, text, "the change must hit something");
    fs::write(folder.path().join("nanodet-g-416.toml"), changed).expect("written");
    fs::copy(root().join("models/nanodet-g-416.onnx"), folder.path().join("nanodet-g-416.onnx")).expect("copied");
    let dirs = ModelDirs::new(folder.path(), folder.path().join("var"));
    (folder, dirs)
}

fn load(dirs: &ModelDirs) -> Result<Detector, ModelError> {
    Detector::load(&runtime(), Catalogue::read(dirs)?.get("nanodet-g-416")?, dirs, 1)
}

/// The error, which must name every one of these.
fn refusal(dirs: &ModelDirs, names: &[&str]) -> String {
    let message = match load(dirs) {
        Ok(_) => panic!("expected a refusal that names {names:?}"),
        Err(error) => error.to_string(),
    };
    for name in names {
        assert!(message.contains(name), "{name:?} is not in: {message}");
    }
    message
}

fn replaced(from: &'static str, to: &'static str) -> impl Fn(String) -> String {
    move |text| text.replace(from, to)
}

#[test]
fn a_task_that_is_not_on_the_list_is_refused_with_the_reason() {
    let (_folder, dirs) = altered(replaced("task = \"person_count\"", "task = \"face_recognition\""));
    refusal(&dirs, &["nanodet-g-416", "\"face_recognition\"", "never identifies", "person_count, crowd_density and face_blur"]);
}

#[test]
fn an_unknown_key_is_refused_by_name_and_line() {
    let (_folder, dirs) = altered(replaced("enabled = true", "enabled = true\nembeding = true"));
    refusal(&dirs, &["nanodet-g-416.toml", "unknown field `embeding`", "line 4"]);
}

#[test]
fn numbers_that_cannot_be_right_are_refused() {
    for (from, to, named) in [
        ("score_threshold = 0.45", "score_threshold = 1.5", "thresholds are between 0 and 1"),
        ("person = 0", "person = 80", "index 80 of 80"),
        ("stride = 32", "stride = 0", "stride"),
        ("max_tiles = 2", "max_tiles = 0", "max_tiles is 1 to 4, found 0"),
        ("file = \"nanodet-g-416.onnx\"", "file = \"../secrets\"", "without a directory"),
        ("std = [57.375", "std = [0.0", "std is positive"),
    ] {
        let (_folder, dirs) = altered(replaced(from, to));
        refusal(&dirs, &["nanodet-g-416", named]);
    }
}

#[test]
fn a_wrong_hash_names_model_file_expected_and_found() {
    let (folder, dirs) = altered(replaced("sha256 = \"cb2ceef7", "sha256 = \"00000000"));
    let file = folder.path().join("nanodet-g-416.onnx");
    refusal(
        &dirs,
        &["model nanodet-g-416", &file.display().to_string(), "expected sha256 00000000", "found cb2ceef7", "repair: git checkout"],
    );
}

#[test]
fn a_missing_file_names_where_it_was_looked_for() {
    let (folder, dirs) = altered(replaced("# Detector", "#  Detector"));
    fs::remove_file(folder.path().join("nanodet-g-416.onnx")).expect("removed");
    refusal(
        &dirs,
        &["model nanodet-g-416", "expected the file nanodet-g-416.onnx", &folder.path().display().to_string(), "repair: git checkout"],
    );
}

#[test]
fn a_cut_file_is_a_wrong_size() {
    let (folder, dirs) = altered(replaced("# Detector", "#  Detector"));
    let file = folder.path().join("nanodet-g-416.onnx");
    fs::write(&file, &fs::read(&file).expect("read")[..1_000_000]).expect("written");
    refusal(&dirs, &["model nanodet-g-416", "expected size in bytes 7607859, found 1000000"]);
}

#[test]
fn a_cut_file_that_the_manifest_describes_is_refused_by_the_runtime() {
    let cut = &fs::read(root().join("models/nanodet-g-416.onnx")).expect("read")[..1_000_000];
    let hash = {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(cut))
    };
    let (folder, dirs) = altered(|text| {
        let real = "cb2ceef709e4f82e93242cffe4f87750311209d125f1059b44134ec188bb91de";
        text.replace("bytes = 7607859", "bytes = 1000000").replace(real, &hash)
    });
    fs::write(folder.path().join("nanodet-g-416.onnx"), cut).expect("written");
    refusal(&dirs, &["model nanodet-g-416", "nanodet-g-416.onnx", "expected a model that ONNX Runtime accepts"]);
}

#[test]
fn shapes_that_do_not_fit_name_expected_and_found() {
    let (_folder, dirs) = altered(|text| {
        text.replace("[1, 3, 416, 416]", "[1, 3, 320, 320]").replace("2704", "1600").replace("676", "400").replace("169,", "100,")
    });
    refusal(&dirs, &["nanodet-g-416", "shape of input input_1:0", "[1, 3, 320, 320]", "[1, 3, 416, 416]"]);
    let (_folder, dirs) = altered(|text| text.replace(", 44]", ", 32]"));
    refusal(&dirs, &["shape of output Identity_3:0", "[1, 2704, 32]", "[1, 2704, 44]"]);
    let (_folder, dirs) = altered(replaced("\"Identity_2:0\"", "\"scores_32\""));
    refusal(&dirs, &["expected output name scores_32", "Identity_5:0"]);
}

#[test]
fn a_disabled_model_and_one_for_something_else_cannot_be_opened() {
    let (_folder, dirs) = altered(replaced("enabled = true", "enabled = false"));
    refusal(&dirs, &["model nanodet-g-416", "expected enabled = true, found enabled = false"]);
    assert_eq!(list_models(&dirs).expect("a list")[0].state, ModelState::Disabled);
    let (_folder, dirs) = altered(replaced("task = \"person_count\"", "task = \"face_blur\""));
    refusal(&dirs, &["expected task person_count", "found task face_blur"]);
}

#[test]
fn a_missing_or_foreign_library_names_the_script() {
    runtime();
    let missing = Runtime::load(Path::new("/nowhere/libonnxruntime.so")).err().expect("missing").to_string();
    assert!(missing.contains("/nowhere/libonnxruntime.so") && missing.contains("run scripts/onnxruntime.sh"), "{missing}");
    let other = Runtime::load(Path::new("/proc/self/exe")).err().expect("another one").to_string();
    assert!(other.contains("found") && other.contains("libonnxruntime.so.1.31.1"), "{other}");
}

#[test]
fn an_unknown_name_lists_what_there_is() {
    let catalogue = Catalogue::read(&real_dirs()).expect("manifests");
    let message = catalogue.get("yolo").expect_err("unknown").to_string();
    assert!(message.contains("yolo.toml") && message.contains("csrnet, csrnet-int8, nanodet-g-416"), "{message}");
}

#[test]
fn the_shipped_manifests_say_what_they_must() {
    let dirs = real_dirs();
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    let density = catalogue.get("csrnet").expect("csrnet");
    assert_eq!(density.training_data, "training data unknown");
    let detector = catalogue.get("nanodet-g-416").expect("nanodet");
    verify(detector, &dirs, &runtime()).expect("the committed weights fit their manifest");
    for manifest in catalogue.manifests() {
        assert!(!manifest.licence.is_empty() && !manifest.source.is_empty() && !manifest.measured.is_empty(), "{}", manifest.name);
    }
    assert!(list_models(&dirs).expect("a list").iter().any(|status| status.name == "nanodet-g-416" && status.state == ModelState::Ready));
}

#[test]
fn a_manifest_must_have_the_name_of_its_file() {
    let (folder, dirs) = altered(replaced("# Detector", "#  Detector"));
    fs::rename(folder.path().join("nanodet-g-416.toml"), folder.path().join("other.toml")).expect("renamed");
    let message = Catalogue::read(&dirs).expect_err("another name").to_string();
    assert!(message.contains("other.toml") && message.contains("nanodet-g-416"), "{message}");
}

fn grey(width: usize, height: usize) -> I420 {
    from_image(&image::RgbImage::from_pixel(width as u32, height as u32, image::Rgb([110, 112, 108])))
}

#[test]
fn an_empty_picture_of_any_size_counts_nobody() {
    let mut detector = any_size(&real_dirs()).expect("the detector in int8: run scripts/models.sh");
    for (width, height) in [(1, 1), (1, 700), (33, 17), (641, 359), (2_000, 3), (416, 416), (640, 360), (360, 640)] {
        assert_eq!(detector.estimate(&grey(width, height)).expect("an estimate").people, 0.0, "{width}x{height}");
    }
    let mut detector = load(&real_dirs()).expect("the detector");
    for (width, height) in [(1, 1), (1, 700), (33, 17), (641, 359), (2_000, 3)] {
        let estimate = detector.estimate(&grey(width, height)).expect("an estimate");
        assert_eq!((estimate.people, estimate.boxes.len(), estimate.low), (0.0, 0, 0.0), "{width}x{height}");
    }
    let mut short = grey(64, 64);
    short.y.truncate(100);
    assert!(matches!(detector.estimate(&short), Err(ModelError::Picture { width: 64, height: 64 })));
    assert!(detector.mask(&short).is_err(), "no mask, so no masked still");
}

/// The detector whose input is not padded to a square.
fn any_size(dirs: &ModelDirs) -> Result<Detector, ModelError> {
    Detector::load(&runtime(), Catalogue::read(dirs)?.get("nanodet-g-416-int8")?, dirs, 1)
}

#[test]
fn a_person_in_a_wide_picture_is_found_at_the_same_place_without_padding() {
    let Some((picture, ..)) = footballer() else { return };
    let dirs = real_dirs();
    let square = load(&dirs).expect("the detector").tuned(None, Some(1)).detect(&picture).expect("boxes");
    let wide = any_size(&dirs).expect("the detector in int8").tuned(None, Some(1)).detect(&picture).expect("boxes");
    assert!(!square.is_empty());
    for person in &square {
        assert!(wide.iter().any(|other| other.iou(person) > 0.75), "{person:?} is not among {wide:?}");
    }
}

#[test]
fn sizes_of_an_input_that_may_vary_are_checked() {
    for (from, to, named) in [
        ("max_side_px = 416", "max_side_px = 400", "a multiple of multiple_px, found 400"),
        ("multiple_px = 32", "multiple_px = 0", "a multiple of multiple_px"),
        ("multiple_px = 32", "multiple_px = 16", "a multiple of every stride, found 16 and 32"),
        ("multiple_px = 32\n", "", "or its sides are -1"),
        ("[1, -1, 80]", "[1, 169, 80]", "[1, -1, 80]"),
    ] {
        let text = fs::read_to_string(root().join("models/nanodet-g-416-int8.toml")).expect("the manifest");
        assert!(text.contains(from));
        let message = Manifest::parse(Path::new("any.toml"), &text.replace(from, to)).expect_err(to).to_string();
        assert!(message.contains(named), "{named:?} is not in: {message}");
    }
}

#[test]
fn an_image_file_is_counted_and_a_broken_one_is_named() {
    let mut detector = load(&real_dirs()).expect("the detector");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (good, bad) = (folder.path().join("empty.jpg"), folder.path().join("broken.png"));
    fs::write(&good, still_jpeg(&grey(320, 240), None).expect("a JPEG")).expect("written");
    fs::write(&bad, b"not a picture").expect("written");
    assert_eq!(count_image(&good, &mut detector).expect("counted").people, 0.0);
    assert!(count_image(&bad, &mut detector).expect_err("broken").to_string().contains("broken.png"));
}

#[test]
fn the_density_map_takes_any_size() {
    let dirs = real_dirs();
    let manifest = Manifest::read(&root().join("models/csrnet.toml")).expect("the manifest");
    if !manifest.enabled || std::env::var_os("QORGAN_DENSITY").is_some_and(|value| value == "off") {
        return;
    }
    let mut density = DensityMap::load(&runtime(), &manifest, &dirs, 1).expect("the density map: run scripts/models.sh");
    for (width, height) in [(1, 1), (97, 61)] {
        let estimate = density.estimate(&grey(width, height)).expect("an estimate");
        assert!(estimate.people.is_finite() && estimate.people < 15.0 && estimate.low <= estimate.people, "{estimate:?}");
    }
    assert!(Detector::load(&runtime(), &manifest, &dirs, 1).is_err(), "a density map is no detector");
}

fn faces(dirs: &ModelDirs) -> Result<Faces, ModelError> {
    Faces::load(&runtime(), Catalogue::read(dirs)?.get("centerface")?, dirs, 1)
}

/// Left, top, right, bottom, in pixels.
type Rectangle = (u32, u32, u32, u32);

/// A photograph of a footballer that Debian's opencv-doc brings, and where his face is.
fn footballer() -> Option<(I420, image::RgbImage, Rectangle)> {
    let path = Path::new("/usr/share/doc/opencv-doc/examples/data/messi5.jpg");
    if !path.is_file() {
        println!("left out: {} is not there (Debian package opencv-doc)", path.display());
        return None;
    }
    let image = image::open(path).expect("a JPEG").to_rgb8();
    Some((from_image(&image), image, (225, 93, 257, 135)))
}

#[test]
fn a_real_face_is_pixelated_beyond_finding_it_again() {
    let Some((picture, before, (left, top, right, bottom))) = footballer() else { return };
    let dirs = real_dirs();
    let (mut detector, mut faces) =
        (load(&dirs).expect("the detector"), faces(&dirs).expect("set-up made centerface: run scripts/faces.sh"));
    let people = detector.mask(&picture).expect("people");
    let cover = faces.cover(&picture, people).expect("faces");
    assert!(cover.hidden().1 >= 1, "his face is found");
    let jpeg = still_jpeg(&picture, Some(&cover)).expect("a JPEG");
    let after = image::load_from_memory(&jpeg).expect("a JPEG").to_rgb8();
    let mut changed = 0u32;
    for (x, y) in (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))) {
        let far = before.get_pixel(x, y).0.iter().zip(after.get_pixel(x, y).0).any(|(a, b)| a.abs_diff(b) > 12);
        changed += u32::from(far);
    }
    let area = (right - left) * (bottom - top);
    assert!(changed * 2 > area, "{changed} of {area} pixels of the face changed");
    // Whoever looks for a face in what left the hub finds none there, and detail is gone: at most as many colours as blocks.
    let masked = from_image(&after);
    let people = detector.mask(&masked).expect("people");
    assert_eq!(faces.cover(&masked, people).expect("looked for").hidden().1, 0, "no face can be found in the masked picture");
}

#[test]
fn without_a_working_model_of_faces_there_is_no_cover_and_so_no_masked_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(root().join("models/centerface.toml"), folder.path().join("centerface.toml")).expect("copied");
    let dirs = ModelDirs::new(folder.path(), folder.path().join("var"));
    let missing = faces(&dirs).err().expect("the weights are not there").to_string();
    assert!(missing.contains("scripts/faces.sh"), "{missing}");
    let text = fs::read_to_string(root().join("models/centerface.toml")).expect("the manifest");
    fs::write(folder.path().join("centerface.toml"), text.replace("enabled = true", "enabled = false")).expect("written");
    assert!(faces(&dirs).is_err(), "switched off is not looked for");

    let dirs = real_dirs();
    let (mut detector, mut faces) =
        (load(&dirs).expect("the detector"), faces(&dirs).expect("set-up made centerface: run scripts/faces.sh"));
    let people = detector.mask(&grey(320, 240)).expect("people");
    assert!(faces.cover(&grey(320, 200), people).is_err(), "a mask of another picture covers nothing");
    let people = detector.mask(&grey(320, 240)).expect("people");
    let mut short = grey(320, 240);
    short.v.truncate(7);
    assert!(faces.cover(&short, people).is_err(), "no faces looked for, so no cover");
}

#[test]
fn a_model_of_faces_counts_nobody() {
    let dirs = real_dirs();
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    let refused = catalogue.open("centerface", &runtime(), 1).err().expect("refused").to_string();
    assert!(refused.contains("a model that counts"), "{refused}");
}

#[test]
fn a_provider_that_the_library_lacks_is_refused_with_a_list_of_what_it_has() {
    let runtime = runtime();
    assert_eq!(runtime.provider(), Provider::Cpu);
    assert_eq!(runtime.providers(), [Provider::Cpu], "the library that set-up installs runs on the processor");
    assert!(runtime.with_provider(Provider::Cpu).is_ok());
    let error = runtime.with_provider(Provider::Cuda).err().expect("no GPU in this library").to_string();
    for part in ["models.provider cuda", "libonnxruntime", "offers cpu;", "models.runtime"] {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
    let unknown = "gpu".parse::<Provider>().expect_err("no such provider");
    assert_eq!(unknown, "\"gpu\" is none of cpu, cuda, tensorrt, openvino, migraphx, xnnpack");
}
