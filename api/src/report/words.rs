//! Words of the papers.

use qorgan_alerts::store::{EmergencyKind, MeasureState};
use qorgan_domain::Trilingual;

/// Name of a kind of emergency.
pub fn kind_name(kind: EmergencyKind) -> Trilingual {
    let [kk, ru, en] = match kind {
        EmergencyKind::Fire => ["Өрт", "Пожар", "Fire"],
        EmergencyKind::Accident => ["Оқыс оқиға", "Происшествие, авария", "Accident"],
        EmergencyKind::Utility => ["Коммуналдық апат", "Коммунальная авария", "Utility failure"],
        EmergencyKind::Weather => ["Ауа райы", "Погода", "Weather"],
        EmergencyKind::Flood => ["Су тасқыны, сел", "Паводок, сель", "Flood, mudflow"],
        EmergencyKind::Earthquake => ["Жер сілкінісі", "Землетрясение", "Earthquake"],
        EmergencyKind::Epidemic => ["Көпшіліктің ауыруы", "Групповое заболевание", "Illness of many"],
        EmergencyKind::PublicEvent => ["Бұқаралық іс-шарадағы көмек", "Помощь на массовом мероприятии", "Help at a public event"],
        EmergencyKind::Other => ["Өзге", "Другое", "Other"],
    };
    Trilingual { kk: kk.into(), ru: ru.into(), en: en.into() }
}

/// Name of a measure's state.
pub fn measure_state(state: MeasureState) -> [&'static str; 3] {
    match state {
        MeasureState::Planned => ["жоспарда", "в плане", "planned"],
        MeasureState::Running => ["орындалуда", "выполняется", "under way"],
        MeasureState::Done => ["орындалды", "выполнено", "done"],
        MeasureState::Cancelled => ["тоқтатылды", "отменено", "cancelled"],
    }
}

/// What stands where a count is not told.
pub const NOT_TOLD: &str = "< 10";
