//! City services that a signal can go to, and where a kind of signal goes when nobody says otherwise.

use qorgan_domain::Trilingual;
use serde::{Deserialize, Serialize};

/// A service: id and name in Kazakh, Russian, English.
type Named = (&'static str, [&'static str; 3]);

const SERVICES: [Named; 15] = [
    ("heat", ["Жылумен жабдықтау", "Теплоснабжение", "Heating"]),
    ("water", ["Су және кәріз", "Вода и канализация", "Water and sewerage"]),
    ("power", ["Электр желілері", "Электросети", "Electricity"]),
    ("gas", ["Газ шаруашылығы", "Газовое хозяйство", "Gas"]),
    ("housing", ["Тұрғын үй инспекциясы", "Жилищная инспекция", "Housing inspection"]),
    ("roads", ["Жолдар және көлік", "Дороги и транспорт", "Roads and transport"]),
    ("waste", ["Абаттандыру және қоқыс", "Благоустройство и отходы", "Streets and waste"]),
    ("education", ["Білім бөлімі", "Отдел образования", "Education"]),
    ("health", ["Денсаулық сақтау", "Здравоохранение", "Health care"]),
    ("social", ["Жұмыспен қамту және әлеуметтік қорғау", "Занятость и социальная защита", "Employment and social protection"]),
    ("labour", ["Еңбек инспекциясы", "Инспекция труда", "Labour inspection"]),
    ("land", ["Жер қатынастары", "Земельные отношения", "Land relations"]),
    ("ecology", ["Экология", "Экология", "Ecology"]),
    ("emergency", ["Төтенше жағдайлар", "Чрезвычайные ситуации", "Emergency situations"]),
    ("legal-aid", ["Заң көмегі және медиаторлар", "Юридическая помощь и медиаторы", "Legal aid and mediators"]),
];

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Id.
    pub id: &'static str,
    /// Name.
    pub name: Trilingual,
}

/// Every service.
pub fn all() -> impl Iterator<Item = Service> {
    SERVICES.iter().map(|(id, [kk, ru, en])| Service { id, name: Trilingual { kk: (*kk).into(), ru: (*ru).into(), en: (*en).into() } })
}

/// A service by its id.
pub fn find(id: &str) -> Option<Service> {
    all().find(|service| service.id == id)
}

/// What a signal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// Work, incomes, schools, health.
    Social,
    /// Heat, water, roads, buildings.
    Infrastructure,
    /// Rights, disputes, decisions of the authorities.
    Legal,
}

impl SignalKind {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            SignalKind::Social => "social",
            SignalKind::Infrastructure => "infrastructure",
            SignalKind::Legal => "legal",
        }
    }

    /// Days until the service answers.
    pub fn days(self) -> i64 {
        match self {
            SignalKind::Infrastructure => 3,
            SignalKind::Social => 7,
            SignalKind::Legal => 15,
        }
    }
}

/// How far a signal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalStatus {
    /// Entered.
    New,
    /// With the service.
    Sent,
    /// The service works on it.
    InWork,
    /// Solved.
    Solved,
    /// Not the service's matter, or nothing to solve; a note says why.
    Declined,
}

impl SignalStatus {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            SignalStatus::New => "new",
            SignalStatus::Sent => "sent",
            SignalStatus::InWork => "in_work",
            SignalStatus::Solved => "solved",
            SignalStatus::Declined => "declined",
        }
    }

    /// Whether it has ended.
    pub fn is_over(self) -> bool {
        matches!(self, SignalStatus::Solved | SignalStatus::Declined)
    }

    /// Whether the step may follow. What was solved may come back; a declined one is sent anew, perhaps elsewhere.
    pub fn may_become(self, next: SignalStatus) -> bool {
        use SignalStatus::*;
        matches!(
            (self, next),
            (New, Sent) | (Sent, InWork | Solved | Declined) | (InWork, Solved | Declined) | (Solved | Declined, Sent) | (New, Declined)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_goes_to_its_service_and_can_come_back() {
        use SignalStatus::*;
        for (from, to, may) in [
            (New, Sent, true),
            (New, Solved, false),
            (Sent, InWork, true),
            (InWork, Solved, true),
            (Solved, Sent, true),
            (Solved, New, false),
            (Sent, Sent, false),
        ] {
            assert_eq!(from.may_become(to), may, "{from:?} {to:?}");
        }
        assert!(find("heat").is_some() && find("police").is_none(), "signals go to city services, not to the police");
    }
}
