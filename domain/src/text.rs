//! Names in the three languages of the hub.

use serde::{Deserialize, Serialize};

/// A name in Kazakh, Russian and English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trilingual {
    /// Kazakh, Cyrillic.
    pub kk: String,
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}
