//! The joint action plan at the edge: its file (`plan.toml`), and what the demonstration shows besides.

mod demo;

use std::path::Path;

use jiff::civil::Date;
use qorgan_alerts::store::{Measure, MeasureState};
use qorgan_domain::{AreaCode, Trilingual};
use serde::Deserialize;

use crate::hub::App;

pub use demo::fill as fill_demo;

/// The file that holds when the configuration names none: its blocks, and in a demonstration its measures.
const BUILT_IN: &str = include_str!("../../../configs/plan.toml");

/// What the file says.
#[derive(Debug, Clone)]
pub struct PlanFile {
    /// Title of the plan.
    pub title: Trilingual,
    /// Made up for a demonstration.
    pub demo: bool,
    /// Problem blocks, in order.
    pub blocks: Vec<Block>,
    /// Measures to begin with.
    pub measures: Vec<FileMeasure>,
}

/// A problem block.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Trilingual,
}

/// A measure of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMeasure {
    block: String,
    title: Trilingual,
    owner: String,
    area: Option<AreaCode>,
    #[serde(deserialize_with = "day")]
    deadline: Date,
    #[serde(default)]
    progress: u8,
    expected: Option<Trilingual>,
}

fn day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| serde::de::Error::custom(format!("\"{text}\" is no day such as 2026-12-15")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    demo: bool,
    title: Trilingual,
    block: Vec<Block>,
    #[serde(default)]
    measure: Vec<FileMeasure>,
}

impl PlanFile {
    /// What holds when the configuration names no file; a plan made up for a demonstration has no place in another hub.
    pub fn built_in(demo: bool) -> Result<Self, String> {
        let mut plan = Self::parse(BUILT_IN)?;
        if !demo {
            plan.measures.clear();
            plan.demo = false;
        }
        Ok(plan)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
        for (n, block) in raw.block.iter().enumerate() {
            block.id.parse::<qorgan_domain::DeviceId>().map_err(|e| format!("block \"{}\": {e}", block.id))?;
            if raw.block.iter().skip(n + 1).any(|other| other.id == block.id) {
                return Err(format!("block \"{}\" stands twice", block.id));
            }
        }
        if raw.block.is_empty() || raw.block.len() > 20 {
            return Err("a plan has 1 to 20 blocks".into());
        }
        for measure in &raw.measure {
            if !raw.block.iter().any(|block| block.id == measure.block) {
                return Err(format!("measure \"{}\": there is no block \"{}\"", measure.title.en, measure.block));
            }
            if measure.progress > 100 {
                return Err(format!("measure \"{}\": progress is 0 to 100", measure.title.en));
            }
        }
        Ok(Self { title: raw.title, demo: raw.demo, blocks: raw.block, measures: raw.measure })
    }

    /// The number that the next measure of a block gets.
    pub fn next_number(&self, block: &str, measures: &[Measure]) -> String {
        let place = self.blocks.iter().position(|b| b.id == block).map_or(0, |n| n + 1);
        format!("{place}.{}", measures.iter().filter(|m| m.block == block).count() + 1)
    }
}

/// Brings the measures of the file into an empty plan.
pub async fn load(app: &App) -> Result<(), qorgan_alerts::Error> {
    let file = &app.config.plan;
    if file.measures.is_empty() || !app.store.measures().await?.is_empty() {
        return Ok(());
    }
    let now = app.clock.utc();
    let mut added: Vec<Measure> = Vec::new();
    for from in &file.measures {
        let state = match from.progress {
            0 => MeasureState::Planned,
            100 => MeasureState::Done,
            _ => MeasureState::Running,
        };
        let evidence = if from.progress == 100 { demo::evidence(now) } else { Vec::new() };
        let measure = Measure {
            id: 0,
            block: from.block.clone(),
            number: file.next_number(&from.block, &added),
            title: from.title.clone(),
            owner: from.owner.clone(),
            area: from.area.clone(),
            deadline: from.deadline,
            progress: i64::from(from.progress),
            state,
            evidence,
            expected: from.expected.clone(),
            issue: None,
            version: 1,
            updated_at: now,
            updated_by: "system/hub".into(),
            demo: file.demo,
        };
        added.push(app.store.add_measure(measure, None).await?);
    }
    let what = format!("{} measures of the configured plan", added.len());
    app.audit("system/hub", "system", "plan.load", "plan", Some(&what)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_the_demonstration_has_six_blocks_and_thirty_two_measures() {
        let plan = PlanFile::built_in(true).unwrap();
        assert_eq!((plan.blocks.len(), plan.measures.len(), plan.demo), (6, 32, true));
        let real = PlanFile::built_in(false).unwrap();
        assert_eq!((real.blocks.len(), real.measures.len(), real.demo), (6, 0, false));
    }

    #[test]
    fn what_is_wrong_with_a_plan_is_named() {
        for (from, to, says) in [
            ("block = \"roads\"", "block = \"rods\"", "there is no block \"rods\""),
            ("id = \"roads\"", "id = \"jobs\"", "block \"jobs\" stands twice"),
            ("deadline = \"2026-10-15\"", "deadline = \"2026-13-15\"", "2026-13-15"),
            ("owner = ", "ovner = ", "ovner"),
        ] {
            let error = PlanFile::parse(&BUILT_IN.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
