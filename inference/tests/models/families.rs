//! A new model of a known family is added by a manifest alone: two tiny models that the code has never heard of (`data/make_tiny.py`
//! writes them) are described, opened, and count.
//!
//! Needs the library that set-up installs.

use std::{fs, path::Path};

use image::{Rgb, RgbImage};
use qorgan_inference::{
    Catalogue, Counter, CounterSetup, ModelDirs, ModelState, Runtime, Scene, SceneSetup, from_image, list_models, verify,
};
use sha2::{Digest, Sha256};

const COMMON: &str = r#"
enabled = true
licence = "Apache-2.0"
source = "this repository"
prepared_by = "inference/tests/data/make_tiny.py"
repair = "git checkout"
training_data = "none"
measured = []
"#;

pub(crate) const YOLOX: &str = r#"
task = "person_count"
family = "yolox"
[input]
name = "images"
layout = "NCHW"
shape = [1, 3, 64, 64]
colour_order = "BGR"
mean = [0.0, 0.0, 0.0]
std = [255.0, 255.0, 255.0]
[classes]
count = 1
person = 0
[detector]
score_threshold = 0.6
mask_threshold = 0.3
iou_threshold = 0.3
max_tiles = 1
strides = [8, 16, 32]
[[outputs]]
name = "rows"
shape = [1, 84, 6]
meaning = "rows"
unit = "cells and their logarithms, probabilities"
[errors]
kind = "miss_false"
miss_rate = 0.1
false_rate = 0.1
"#;

const DENSITY: &str = r#"
task = "crowd_density"
family = "density"
[input]
name = "images"
layout = "NCHW"
shape = [1, 3, -1, -1]
colour_order = "RGB"
mean = [0.0, 0.0, 0.0]
std = [255.0, 255.0, 255.0]
[density]
max_side_px = 256
multiple_px = 8
[[outputs]]
name = "cells"
shape = [1, 1, -1, -1]
meaning = "density"
stride = 8
unit = "people per cell"
[errors]
kind = "normal"
floor_sd = 1.0
relative_sd = 0.1
"#;

/// A directory of models with the two in it, described from nothing but their files.
pub(crate) fn described(yolox: &str) -> (tempfile::TempDir, ModelDirs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, rest) in [("tiny-yolox", yolox), ("tiny-density", DENSITY)] {
        let weights = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.onnx"))).expect("the model");
        let file = format!("file = \"{name}.onnx\"\nbytes = {}\nsha256 = \"{}\"", weights.len(), hex::encode(Sha256::digest(&weights)));
        fs::write(folder.path().join(format!("{name}.toml")), format!("name = \"{name}\"\n{file}{COMMON}{rest}")).expect("written");
        fs::write(folder.path().join(format!("{name}.onnx")), weights).expect("written");
    }
    let dirs = ModelDirs::new(folder.path(), folder.path());
    (folder, dirs)
}

pub(crate) fn runtime() -> Runtime {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../var/lib/libonnxruntime.so.1.31.1");
    Runtime::load(&path).expect("ONNX Runtime is installed: run scripts/onnxruntime.sh")
}

/// Black, with white squares of 8 pixels at these cells.
pub(crate) fn bright(width: u32, height: u32, cells: &[(u32, u32)]) -> RgbImage {
    let inside = |x: u32, y: u32| cells.contains(&(x / 8, y / 8));
    RgbImage::from_fn(width, height, |x, y| Rgb([if inside(x, y) { 255 } else { 0 }; 3]))
}

#[test]
fn a_yolox_model_counts_by_its_manifest_alone() {
    let (_folder, dirs) = described(YOLOX);
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    let mut model = catalogue.open("tiny-yolox", &runtime(), 1).expect("opened");
    let estimate = model.estimate(&from_image(&bright(64, 64, &[(1, 2), (5, 6)]))).expect("an estimate");
    assert_eq!((estimate.people, estimate.model.as_str()), (2.0, "tiny-yolox"));
    let mut boxes = estimate.boxes;
    boxes.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    // The middle of cell (1, 2) is (12, 20); the box is 16 x 24.
    for (found, expected) in [boxes[0].x0, boxes[0].y0, boxes[0].x1, boxes[0].y1].into_iter().zip([4.0, 8.0, 20.0, 32.0]) {
        assert!((found - expected).abs() < 0.1, "{boxes:?}");
    }
}

#[test]
fn a_density_map_counts_by_its_manifest_alone() {
    let (_folder, dirs) = described(YOLOX);
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    let mut model = catalogue.open("tiny-density", &runtime(), 1).expect("opened");
    let white: Vec<(u32, u32)> = (0..20).map(|i| (i % 8, i / 8)).collect();
    let estimate = model.estimate(&from_image(&bright(64, 64, &white))).expect("an estimate");
    assert!((estimate.people - 20.0).abs() < 0.5, "{}", estimate.people);
}

#[test]
fn both_together_are_a_counter() {
    let (_folder, dirs) = described(YOLOX);
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    for manifest in catalogue.manifests() {
        verify(manifest, &dirs, &runtime()).expect("hash and shapes are those of the manifest");
    }
    assert!(list_models(&dirs).expect("a list").iter().all(|status| status.state == ModelState::Ready));
    let setup = CounterSetup { detector: "tiny-yolox".into(), density: Some("tiny-density".into()), threads: 1 };
    let mut counter = Counter::open(&runtime(), &catalogue, &setup).expect("a counter");
    let mut scene = Scene::new(SceneSetup::default()).expect("a scene");
    let few = counter.look(&mut scene, &mut from_image(&bright(64, 64, &[(1, 2), (5, 6)])), std::time::Instant::now()).expect("a reading");
    assert!((1.0..4.0).contains(&few.people) && few.low <= few.people && few.people <= few.high, "{few:?}");
}

#[test]
fn rows_of_another_shape_are_refused_with_the_one_expected() {
    let (_folder, dirs) = described(&YOLOX.replace("[1, 84, 6]", "[1, 84, 85]"));
    let error = Catalogue::read(&dirs).expect_err("refused").to_string();
    assert!(error.contains("tiny-yolox") && error.contains("[1, 84, 6]"), "{error}");
    let (_folder, dirs) = described(&YOLOX.replace("[8, 16, 32]", "[7]"));
    assert!(Catalogue::read(&dirs).expect_err("refused").to_string().contains("strides"));
}
