//! Names of states and short texts about a request, in three languages.

use qorgan_alerts::{requests::State, store::Request};
use qorgan_domain::{Trilingual, UtcMs};

use super::when;

/// Most characters of a status text: two SMS in Cyrillic fit 134, four 268; a voice system reads it in half a minute.
pub const STATUS_MOST: usize = 300;

fn names(kk: &str, ru: &str, en: &str) -> Trilingual {
    Trilingual { kk: kk.into(), ru: ru.into(), en: en.into() }
}

/// The text of a language; Kazakh when the language is none of the three.
pub fn pick<'a>(text: &'a Trilingual, language: &str) -> &'a str {
    match language {
        "ru" => &text.ru,
        "en" => &text.en,
        _ => &text.kk,
    }
}

/// Name of a state, as the resident reads it.
pub fn state_name(state: State) -> Trilingual {
    match state {
        State::Received => names("қабылданды", "принято", "received"),
        State::Answered => names("жауап берілді", "дан ответ", "answered"),
        State::InWork => names("орындалуда", "в работе", "being worked on"),
        State::Done => names("орындалды", "выполнено", "done"),
        State::Confirmed => names("тұрғын растады", "подтверждено жителем", "confirmed by the resident"),
        State::Reopened => names("қайта ашылды", "открыто снова", "reopened"),
        State::Closed => names("жабылды", "закрыто", "closed"),
        State::Declined => names("бұл қызметке жатпайды", "не относится к службе", "not for this service"),
        State::Merged => names("ұқсас өтінішке қосылды", "присоединено к похожему", "joined with a similar one"),
    }
}

/// What is said beside rounded counts.
pub fn rounded_note() -> Trilingual {
    names(
        "Сандар ондыққа дейін төмен дөңгелектелген; 10-нан аз болса көрсетілмейді.",
        "Числа округлены вниз до десятков; меньше 10 не показываются.",
        "Counts are rounded down to tens; fewer than 10 are not shown.",
    )
}

/// What is said beside exact counts.
pub fn exact_note() -> Trilingual {
    names(
        "Нақты сандар: тек өтініштермен жұмыс істейтін қызметкерге.",
        "Точные числа: только для тех, кто работает с обращениями.",
        "Exact counts: only for those who work with the requests.",
    )
}

/// A status in one short text, for SMS and voice: the state, what is promised, the answer as far as it fits.
pub fn status_text(request: &Request, category: &str, language: &str, offset_min: i32) -> String {
    let at = |moment: UtcMs| when(moment, offset_min);
    let standing = &request.standing;
    let state = state_name(standing.state);
    let mut text = match language {
        "ru" => format!("Обращение {}, {category}: {}.", request.reference, state.ru),
        "en" => format!("Request {}, {category}: {}.", request.reference, state.en),
        _ => format!("Өтініш {}, {category}: {}.", request.reference, state.kk),
    };
    let due = standing.due_at.map(|due| match (standing.state.awaits_answer(), language) {
        (true, "ru") => format!(" Ответ до {}.", at(due)),
        (true, "en") => format!(" Answer by {}.", at(due)),
        (true, _) => format!(" Жауап мерзімі: {}.", at(due)),
        (false, "ru") => format!(" Срок: {}.", at(due)),
        (false, "en") => format!(" Promised by {}.", at(due)),
        (false, _) => format!(" Уәде етілген мерзім: {}.", at(due)),
    });
    text.push_str(&due.unwrap_or_default());
    if let Some(answer) = &standing.answer {
        text.push(' ');
        text.extend(answer.split_whitespace().flat_map(|word| [word, " "]));
    }
    let text = text.trim_end();
    if text.chars().count() <= STATUS_MOST {
        return text.to_owned();
    }
    text.chars().take(STATUS_MOST - 1).chain(['…']).collect()
}

/// What Open311 tells whoever submitted: the number, the code, the time of the answer.
pub fn notice(reference: &str, code: &str, answer_by: &str) -> String {
    format!(
        "Өтініш нөмірі {reference}, құпия код {code}, жауап мерзімі {answer_by}. / Номер обращения {reference}, код {code}, ответ до {answer_by}. / \
         Reference {reference}, code {code}, answer by {answer_by}."
    )
}
