//! `requests.toml`: services, categories, deadlines, working days, and who may use Open311. Unknown keys are errors.

use std::{collections::HashSet, path::Path};

use jiff::civil::Date;
use qorgan_alerts::requests::{Calendar, Term, Terms, calendar::Days};
use qorgan_domain::{DeviceId, Trilingual};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::config::SecretSource;

/// The file that holds when the configuration names none.
const BUILT_IN: &str = include_str!("../../../configs/requests.toml");

/// Everything that is configured about requests.
#[derive(Debug, Clone)]
pub struct Settings {
    /// So long after "done" a resident may judge, days.
    pub judge_days: u32,
    /// Texts of requests that are over go after this, days.
    pub text_days: u32,
    /// Contacts go after this, days.
    pub contact_days: u32,
    /// A place so near a district counts as lying in it, metres.
    pub max_outside_m: f64,
    /// Requests from one address in an hour.
    pub intake_per_hour: u32,
    /// Questions for a status from one address in a minute.
    pub status_per_minute: u32,
    /// Wrong codes for one request in an hour.
    pub codes_per_hour: u32,
    /// Standard deviations that make a problem signal.
    pub spike_z: f64,
    /// And so many requests a day.
    pub spike_least: u64,
    /// When work ends, minutes after midnight.
    pub day_ends_min: u32,
    /// Working days.
    pub days: (Vec<(i8, i8)>, Vec<Date>, Vec<Date>),
    /// Groups of categories.
    pub groups: Vec<Named>,
    /// Services.
    pub services: Vec<Named>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Open311.
    pub open311: Open311,
}

/// An id with its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Trilingual,
}

/// A category of requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Id.
    pub id: String,
    /// Group it is listed under.
    pub group: String,
    /// Service that answers for it.
    pub service: String,
    /// Name.
    pub name: Trilingual,
    /// What the resident should write.
    pub hint: Trilingual,
    /// Until the first answer.
    pub answer: Term,
    /// From the answer until it is done.
    pub deadline: Term,
    /// Listed by Open311.
    #[serde(default = "yes")]
    pub open311: bool,
    /// Questions.
    #[serde(default, rename = "attribute")]
    pub attributes: Vec<Attribute>,
}

/// A question of a category, as Open311 describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Name in a submission: `attribute[code]`.
    pub code: String,
    /// What the answer is.
    pub datatype: Datatype,
    /// It must be answered.
    #[serde(default)]
    pub required: bool,
    /// The question.
    pub name: Trilingual,
    /// The answers to choose from.
    #[serde(default)]
    pub values: Vec<AttributeValue>,
}

/// An answer to choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeValue {
    /// What is submitted.
    pub key: String,
    /// What is shown.
    pub name: Trilingual,
}

/// What the answer to a question is; names as in Open311.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Datatype {
    /// A line.
    String,
    /// A number.
    Number,
    /// A moment.
    Datetime,
    /// Lines.
    Text,
    /// One of the values.
    SingleValueList,
    /// Some of the values.
    MultiValueList,
}

/// `[open311]`
#[derive(Debug, Clone)]
pub struct Open311 {
    /// The one jurisdiction that is served, when it has a name.
    pub jurisdiction: Option<String>,
    /// Listing needs a key.
    pub list_needs_key: bool,
    /// A POST is answered with a token.
    pub tokens: bool,
    /// Keys besides the one that the hub makes.
    pub keys: Vec<(String, SecretSource)>,
}

impl Settings {
    /// What holds when the configuration names no file.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(BUILT_IN, Path::new(""))
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a text; key files are relative to `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|e| e.to_string().trim().to_owned())?;
        raw.check(base)
    }

    /// A category.
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// A service.
    pub fn service(&self, id: &str) -> Option<&Named> {
        self.services.iter().find(|service| service.id == id)
    }

    /// The terms of a category.
    pub fn terms(&self, category: &Category) -> Terms {
        Terms { answer: category.answer, work: category.deadline, judge_days: self.judge_days }
    }

    /// The working days, for clocks so many minutes ahead of UTC.
    pub fn calendar(&self, utc_offset_min: i32) -> Calendar {
        let (holidays, days_off, worked) = self.days.clone();
        Calendar::new(utc_offset_min, self.day_ends_min, Days { holidays, days_off, worked })
    }
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default = "judge_days")]
    judge_days: u32,
    #[serde(default = "text_days")]
    text_days: u32,
    #[serde(default = "contact_days")]
    contact_days: u32,
    #[serde(default = "max_outside_m")]
    max_outside_m: u32,
    #[serde(default = "intake_per_hour")]
    intake_per_hour: u32,
    #[serde(default = "status_per_minute")]
    status_per_minute: u32,
    #[serde(default = "codes_per_hour")]
    codes_per_hour: u32,
    #[serde(default = "spike_z")]
    spike_z: f64,
    #[serde(default = "spike_least")]
    spike_least: u32,
    working: RawWorking,
    #[serde(default)]
    open311: RawOpen311,
    #[serde(default)]
    group: Vec<Named>,
    service: Vec<Named>,
    category: Vec<Category>,
}

fn judge_days() -> u32 {
    14
}
fn text_days() -> u32 {
    365
}
fn contact_days() -> u32 {
    90
}
fn max_outside_m() -> u32 {
    2_000
}
fn intake_per_hour() -> u32 {
    30
}
fn status_per_minute() -> u32 {
    60
}
fn codes_per_hour() -> u32 {
    5
}
fn spike_z() -> f64 {
    3.0
}
fn spike_least() -> u32 {
    10
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWorking {
    #[serde(default = "day_ends")]
    day_ends: String,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    days_off: Vec<String>,
    #[serde(default)]
    worked: Vec<String>,
}

fn day_ends() -> String {
    "18:00".into()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawOpen311 {
    jurisdiction: Option<String>,
    #[serde(default)]
    list: List,
    #[serde(default)]
    tokens: bool,
    #[serde(default)]
    key: Vec<RawKey>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum List {
    #[default]
    Anyone,
    Keys,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    name: String,
    key_env: Option<String>,
    key_file: Option<String>,
}

impl Raw {
    fn check(self, base: &Path) -> Result<Settings, String> {
        let mut seen = HashSet::new();
        for (what, id) in self.ids() {
            id.parse::<DeviceId>().map_err(|e| format!("{what} \"{id}\": {e}"))?;
            if !seen.insert((what, id.to_owned())) {
                return Err(format!("{what} \"{id}\" stands twice"));
            }
        }
        for category in &self.category {
            category.check(&self.service, &self.group)?;
        }
        for (key, days, most) in
            [("judge_days", self.judge_days, 366), ("text_days", self.text_days, 3_660), ("contact_days", self.contact_days, 366)]
        {
            if days == 0 || days > most {
                return Err(format!("{key} {days} is not 1 to {most}"));
            }
        }
        if !(1.0..=10.0).contains(&self.spike_z) || self.spike_least < 10 {
            return Err("spike_z is 1 to 10, and spike_least at least 10".into());
        }
        let date = |text: &String| text.parse::<Date>().map_err(|_| format!("\"{text}\" is no day such as 2026-05-27"));
        let yearly = |text: &String| {
            // A leap year, so that 29 February reads.
            format!("2028-{text}").parse::<Date>().map(|d| (d.month(), d.day())).map_err(|_| format!("\"{text}\" is no day such as 12-16"))
        };
        let keys = self.open311.key.into_iter().map(|key| match (key.key_env, key.key_file) {
            (Some(env), None) => Ok((key.name, SecretSource::Env(env))),
            (None, Some(file)) => Ok((key.name, SecretSource::File(base.join(file)))),
            _ => Err(format!("open311.key \"{}\": give key_env or key_file", key.name)),
        });
        Ok(Settings {
            judge_days: self.judge_days,
            text_days: self.text_days,
            contact_days: self.contact_days,
            max_outside_m: f64::from(self.max_outside_m),
            intake_per_hour: self.intake_per_hour.max(1),
            status_per_minute: self.status_per_minute.max(1),
            codes_per_hour: self.codes_per_hour.max(1),
            spike_z: self.spike_z,
            spike_least: u64::from(self.spike_least),
            day_ends_min: clock(&self.working.day_ends)
                .ok_or_else(|| format!("working.day_ends \"{}\" is no time such as 18:00", self.working.day_ends))?,
            days: (
                self.working.holidays.iter().map(yearly).collect::<Result<_, _>>()?,
                self.working.days_off.iter().map(date).collect::<Result<_, _>>()?,
                self.working.worked.iter().map(date).collect::<Result<_, _>>()?,
            ),
            groups: self.group,
            services: self.service,
            categories: self.category,
            open311: Open311 {
                jurisdiction: self.open311.jurisdiction.filter(|j| !j.is_empty()),
                list_needs_key: self.open311.list == List::Keys,
                tokens: self.open311.tokens,
                keys: keys.collect::<Result<_, _>>()?,
            },
        })
    }

    fn ids(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let groups = self.group.iter().map(|g| ("group", g.id.as_str()));
        let services = self.service.iter().map(|s| ("service", s.id.as_str()));
        groups.chain(services).chain(self.category.iter().map(|c| ("category", c.id.as_str())))
    }
}

impl Category {
    fn check(&self, services: &[Named], groups: &[Named]) -> Result<(), String> {
        if !services.iter().any(|service| service.id == self.service) {
            return Err(format!("category \"{}\": there is no service \"{}\"", self.id, self.service));
        }
        if !groups.iter().any(|group| group.id == self.group) {
            return Err(format!("category \"{}\": there is no group \"{}\"", self.id, self.group));
        }
        for (key, term) in [("answer", self.answer), ("deadline", self.deadline)] {
            let fits = match term {
                Term::Hours(hours) => (1..=24 * 366).contains(&hours),
                Term::WorkingDays(days) => (1..=250).contains(&days),
            };
            if !fits {
                return Err(format!("category \"{}\": {key} is 1 hour to a year", self.id));
            }
        }
        for attribute in &self.attributes {
            let lists = matches!(attribute.datatype, Datatype::SingleValueList | Datatype::MultiValueList);
            if lists == attribute.values.is_empty() {
                return Err(format!(
                    "category \"{}\": attribute \"{}\": values belong to lists, and to nothing else",
                    self.id, attribute.code
                ));
            }
        }
        Ok(())
    }
}

fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_reads_and_its_numbers_are_what_it_says() {
        let settings = Settings::built_in().unwrap();
        assert_eq!((settings.judge_days, settings.day_ends_min), (14, 18 * 60));
        assert!(settings.categories.len() >= 15 && settings.services.len() >= 8);
        assert_eq!(settings.category("heating").unwrap().deadline, Term::Hours(24));
        assert!(!settings.category("clinic").unwrap().open311);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, says) in [
            ("judge_days = 14 ", "judge_dayz = 14 ", "judge_dayz"),
            ("service = \"heat\"", "service = \"heaat\"", "there is no service \"heaat\""),
            ("group = \"utilities\"\nservice = \"heat\"", "group = \"x\"\nservice = \"heat\"", "there is no group \"x\""),
            ("id = \"cold-water\"", "id = \"heating\"", "category \"heating\" stands twice"),
            ("id = \"cold-water\"", "id = \"Cold water\"", "Cold water"),
            ("\"12-16\"]", "\"12-32\"]", "12-32"),
            ("day_ends = \"18:00\"", "day_ends = \"25:00\"", "25:00"),
            ("spike_least = 10 ", "spike_least = 3 ", "spike_least"),
            ("answer = { hours = 4 }", "answer = { hours = 0 }", "1 hour to a year"),
            ("contact_days = 90 ", "contact_days = 900 ", "contact_days 900"),
        ] {
            assert!(BUILT_IN.contains(from), "{from}");
            let error = Settings::parse(&BUILT_IN.replacen(from, to, 1), Path::new("")).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
