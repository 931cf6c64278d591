//! Papers: the quarterly report of a district and the bulletin of the emergency journal as PDF, shares and plan as XLSX.
//!
//! What belongs here: laying out what is given. What does not: asking the store, deciding what may be told.

pub mod bulletin;
mod page;
pub mod quarterly;
pub mod sheets;
pub mod words;

use qorgan_domain::UtcMs;

use crate::hub::App;

/// What stands on every page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Name of the hub.
    pub hub: String,
    /// `kk`, `ru` or `en`.
    pub language: String,
    /// Now.
    pub now: UtcMs,
    /// Local time minus UTC, in minutes.
    pub offset_min: i32,
    /// What is shown is made up for a demonstration.
    pub demo: bool,
}

impl Frame {
    /// The frame of a paper that is made now.
    pub fn new(app: &App, language: &str) -> Self {
        let language = if ["kk", "ru", "en"].contains(&language) { language } else { "kk" };
        Self {
            hub: app.config.hub.name.clone(),
            language: language.into(),
            now: app.clock.utc(),
            offset_min: app.requests.offset_min,
            demo: app.config.hub.demo_logins,
        }
    }

    /// The text of this language.
    pub fn say<'a>(&self, [kk, ru, en]: [&'a str; 3]) -> &'a str {
        match self.language.as_str() {
            "ru" => ru,
            "en" => en,
            _ => kk,
        }
    }

    /// The name in this language.
    pub fn name<'a>(&self, name: &'a qorgan_domain::Trilingual) -> &'a str {
        crate::requests::words::pick(name, &self.language)
    }

    /// A moment on the wall.
    pub fn when(&self, at: UtcMs) -> String {
        crate::requests::when(at, self.offset_min)
    }
}

/// A paper cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The embedded font does not read.
    #[error("the embedded font does not read")]
    Font,
    /// The document cannot be put together.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}
