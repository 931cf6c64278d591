//! The one JSON line that every bench, evaluation and fault program ends with.

use serde::Serialize;

/// Result of a program: figures, and goals with what was reached.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name of the program.
    pub name: String,
    /// Measured figures, units in the names.
    pub figures: serde_json::Map<String, serde_json::Value>,
    /// What was aimed at.
    pub goals: Vec<Goal>,
}

/// One goal and the figure reached.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// In words.
    pub goal: String,
    /// What is aimed at.
    pub target: f64,
    /// What was reached.
    pub value: f64,
    /// Whether the figure meets the target.
    pub ok: bool,
}

impl Report {
    /// An empty report.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), figures: serde_json::Map::new(), goals: Vec::new() }
    }
    /// Adds a figure.
    pub fn figure(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.figures.insert(name.into(), value.into());
    }
    /// Adds a goal that is met when the value is at most the target.
    pub fn at_most(&mut self, goal: &str, target: f64, value: f64) {
        self.goals.push(Goal { goal: goal.into(), target, value, ok: value <= target });
    }
    /// Adds a goal that is met when the value is at least the target.
    pub fn at_least(&mut self, goal: &str, target: f64, value: f64) {
        self.goals.push(Goal { goal: goal.into(), target, value, ok: value >= target });
    }
    /// Shows on stderr what is known so far: a long program may be ended before its last line.
    pub fn so_far(&self) {
        eprintln!("so far: {}", serde_json::to_string(self).unwrap_or_default());
    }
    /// Prints the line. A missed goal is printed, not an exit code.
    pub fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{}: the report does not serialise: {error}", self.name),
        }
    }
}

/// The `q`-quantile (0 to 1) of the samples, by nearest rank; sorts them. NaN when there are none.
pub fn quantile(samples: &mut [f64], q: f64) -> f64 {
    if samples.is_empty() {
        return f64::NAN;
    }
    samples.sort_by(f64::total_cmp);
    let rank = (q * samples.len() as f64).ceil() as usize;
    samples[rank.clamp(1, samples.len()) - 1]
}
