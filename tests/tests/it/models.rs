//! The detector on real footage: counts that a person agrees with, and stills that show nobody.

use std::{collections::BTreeMap, time::Duration};

use qorgan_domain::I420;
use qorgan_inference::{Catalogue, ChangeGate, CrowdModel, Detector, Faces, ModelDirs, Runtime, Verdict, still_jpeg};
use qorgan_ingest::camera::file::{Which, frames};
use qorgan_tests::{cameras::clip_frame, paths};

fn faces() -> Faces {
    let runtime = Runtime::load(&paths::onnxruntime()).expect("ONNX Runtime: run scripts/onnxruntime.sh");
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    Faces::load(&runtime, catalogue.get("centerface").expect("centerface"), &dirs, 1).expect("faces: run scripts/faces.sh")
}

fn detector() -> Detector {
    let runtime = Runtime::load(&paths::onnxruntime()).expect("ONNX Runtime: run scripts/onnxruntime.sh");
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let catalogue = Catalogue::read(&dirs).expect("manifests");
    Detector::load(&runtime, catalogue.get("nanodet-g-416").expect("nanodet"), &dirs, 1).expect("the detector")
}

/// Key frames of the campus clip, by frame number of vtest.avi.
fn key_frames() -> BTreeMap<u64, I420> {
    let clip = paths::var().join("footage/campus-eval.mp4");
    frames(&clip, Which::KeyFrames)
        .expect("the clip: run scripts/footage.sh")
        .map(|frame| frame.map(|(at, picture)| (clip_frame(at, 10.0, 795), picture)).expect("a frame"))
        .collect()
}

#[test]
fn counts_on_real_footage_are_near_what_a_person_sees() {
    let (mut detector, frames) = (detector(), key_frames());
    let table = std::fs::read_to_string(paths::root().join("tests/data/vtest-truth.csv")).expect("the truth");
    let truth = table.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].parse::<u64>().expect("a frame"), fields[2].parse::<f32>().expect("people"))
    });
    let mut errors = Vec::new();
    for (frame, people) in truth.step_by(4) {
        let estimate = detector.estimate(&frames[&frame]).expect("an estimate");
        assert!((estimate.people - people).abs() <= 3.0, "frame {frame}: {people} people, counted {}", estimate.people);
        assert_eq!(estimate.boxes.len() as f32, estimate.people);
        errors.push((estimate.people - people).abs());
    }
    let mae = errors.iter().sum::<f32>() / errors.len() as f32;
    assert!(errors.len() == 11 && mae <= 1.0, "mean absolute error {mae} over {} frames", errors.len());
}

#[test]
fn a_masked_still_shows_nobody_to_the_detector() {
    let (mut detector, frames) = (detector(), key_frames());
    let picture = &frames[&225];
    let mask = detector.mask(picture).expect("a mask");
    assert!(mask.len() >= 5, "{} places hidden", mask.len());
    let cover = faces().cover(picture, mask).expect("faces are looked for");
    let jpeg = still_jpeg(picture, Some(&cover)).expect("a still");
    let image = image::load_from_memory(&jpeg).expect("a JPEG").to_rgb8();
    let seen = detector.detect(&qorgan_inference::from_image(&image)).expect("boxes");
    assert!(seen.len() <= 1, "{} people can still be made out", seen.len());
}

#[test]
fn the_gate_opens_for_people_and_stays_shut_on_the_same_scene() {
    let frames = key_frames();
    let (mut gate, start) = (ChangeGate::new(Duration::from_secs(60)), std::time::Instant::now());
    gate.judge(&frames[&0], start);
    gate.analysed(start);
    assert_eq!(gate.judge(&frames[&0], start), Verdict::Reuse);
    assert_ne!(gate.judge(&frames[&9], start), Verdict::Reuse, "people walk in between");
}
