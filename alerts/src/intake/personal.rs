//! The judge of personal data: what must not come in with an aggregate or a signal.
//!
//! It looks at texts as people type them. It cannot know every name; what it knows is refused with a reason, and it would rather
//! refuse a word too many: whoever enters an aggregate never needs one of these.

use qorgan_domain::Trilingual;

/// What a text seems to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Personal {
    /// Individual identification number: twelve digits, a date and a sum that fit.
    Iin,
    /// Telephone number.
    Phone,
    /// E-mail address.
    Email,
    /// A person's name: with a patronymic or initials.
    Name,
    /// A name on a social network.
    Handle,
    /// A link.
    Link,
    /// Somebody's words.
    Quotation,
    /// Number of a payment card.
    Card,
    /// Plate of a vehicle.
    Plate,
}

impl Personal {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Personal::Iin => "iin",
            Personal::Phone => "phone",
            Personal::Email => "email",
            Personal::Name => "name",
            Personal::Handle => "handle",
            Personal::Link => "link",
            Personal::Quotation => "quotation",
            Personal::Card => "card",
            Personal::Plate => "plate",
        }
    }

    /// What it is, in English, for the rows of a report.
    pub fn english(self) -> &'static str {
        match self {
            Personal::Iin => "an individual identification number",
            Personal::Phone => "a telephone number",
            Personal::Email => "an e-mail address",
            Personal::Name => "a person's name",
            Personal::Handle => "a name on a social network",
            Personal::Link => "a link",
            Personal::Quotation => "somebody's words",
            Personal::Card => "the number of a payment card",
            Personal::Plate => "a vehicle's plate",
        }
    }

    /// What is said to who typed it.
    pub fn message(self) -> Trilingual {
        let (kk, ru) = match self {
            Personal::Iin => ("ЖСН", "ИИН"),
            Personal::Phone => ("телефон нөмірі", "номер телефона"),
            Personal::Email => ("электрондық пошта", "адрес электронной почты"),
            Personal::Name => ("адамның аты-жөні", "имя человека"),
            Personal::Handle => ("әлеуметтік желідегі аты", "имя в социальной сети"),
            Personal::Link => ("сілтеме", "ссылка"),
            Personal::Quotation => ("біреудің сөзі", "чьи-то слова"),
            Personal::Card => ("төлем картасының нөмірі", "номер платёжной карты"),
            Personal::Plate => ("көлік нөмірі", "номер машины"),
        };
        Trilingual {
            kk: format!("Мұнда мынау бар сияқты: {kk}. Жеке деректерсіз жазыңыз: не болды, қай жерде, кім шешеді."),
            ru: format!("Похоже, здесь {ru}. Напишите без личных данных: что случилось, где, кто решает."),
            en: format!("This seems to hold {}. Write without personal data: what happened, where, who solves it.", self.english()),
        }
    }
}

/// What a cell of a table, or a short text beside an aggregate, must not hold.
pub fn in_cell(text: &str) -> Option<Personal> {
    let mut digits = 0;
    let mut suspect = false;
    for c in text.chars() {
        digits += usize::from(c.is_ascii_digit());
        suspect |= c == '@' || c == '.' || ('А'..='ӿ').contains(&c) || c.is_ascii_uppercase();
    }
    if digits < 10 && !suspect {
        return None;
    }
    contact(text).or_else(|| numbers(text)).or_else(|| name(text).then_some(Personal::Name))
}

/// What a number of a table must not be.
pub fn in_number(value: f64) -> Option<Personal> {
    if value.fract() != 0.0 || !(1e10..1e12).contains(&value.abs()) {
        // An IIN of somebody born after 2000 loses its zeros: seven digits and more are common, so only whole ones are known.
        return None;
    }
    let text = format!("{:.0}", value.abs());
    match text.len() {
        11 if is_phone(&text) => Some(Personal::Phone),
        11 if is_iin(&format!("0{text}")) => Some(Personal::Iin),
        12 if is_iin(&text) => Some(Personal::Iin),
        _ => None,
    }
}

/// What a signal must not hold: the same, and links, quotations and plates.
pub fn in_signal(text: &str) -> Option<Personal> {
    let link = || has_link(text).then_some(Personal::Link);
    let quotation = || has_quotation(text).then_some(Personal::Quotation);
    let plate = || (qorgan_domain::hazard::without_plates(text) != joined(text)).then_some(Personal::Plate);
    contact(text).or_else(link).or_else(|| numbers(text)).or_else(|| name(text).then_some(Personal::Name)).or_else(quotation).or_else(plate)
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(qorgan_domain::hazard::MAX_TEXT).collect()
}

/// Headers of columns that hold personal data, as people write them (letters only, lower case).
const HEADERS: [&str; 40] = [
    "иин",
    "жсн",
    "iin",
    "фио",
    "фиозаявителя",
    "атыжөні",
    "атыжони",
    "тегі",
    "фамилия",
    "имя",
    "отчество",
    "әкесініңаты",
    "fullname",
    "surname",
    "lastname",
    "firstname",
    "patronymic",
    "телефон",
    "номертелефона",
    "телефоннөмірі",
    "phone",
    "phonenumber",
    "mobile",
    "email",
    "электроннаяпочта",
    "электрондықпошта",
    "аккаунт",
    "account",
    "username",
    "ник",
    "nickname",
    "instagram",
    "telegram",
    "автор",
    "author",
    "заявитель",
    "паспорт",
    "удостоверениеличности",
    "жекекуәлік",
    "домашнийадрес",
];

/// Whether a column of this name holds personal data.
pub fn in_header(header: &str) -> bool {
    let plain: String = header.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    HEADERS.contains(&plain.as_str())
}

/// E-mail addresses and names on social networks.
fn contact(text: &str) -> Option<Personal> {
    if !text.contains('@') {
        return None;
    }
    for word in text.split(|c: char| c.is_whitespace() || ",;()<>\"«»".contains(c)) {
        let Some((before, after)) = word.split_once('@') else { continue };
        let name = |part: &str, least: usize| {
            part.chars().take_while(|c| c.is_alphanumeric() || "._-+".contains(*c)).filter(|c| c.is_alphanumeric()).count() >= least
        };
        let before_is_name = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._-+".contains(c));
        if before_is_name && after.trim_end_matches('.').contains('.') && name(after, 3) {
            return Some(Personal::Email);
        }
        if !before_is_name && name(after, 3) {
            return Some(Personal::Handle);
        }
    }
    None
}

/// Identification numbers, telephones, payment cards.
fn numbers(text: &str) -> Option<Personal> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        if !(chars[at].is_ascii_digit() || chars[at] == '+') {
            at += 1;
            continue;
        }
        // A run of digits that people part with blanks, hyphens and brackets.
        let (mut digits, mut end, mut parts, mut gap) = (String::new(), at, Vec::new(), true);
        let begins_plus = chars[at] == '+';
        for (n, c) in chars.iter().enumerate().skip(at) {
            if c.is_ascii_digit() {
                if gap {
                    parts.push(0_usize);
                }
                gap = false;
                if let Some(part) = parts.last_mut() {
                    *part += 1;
                }
                digits.push(*c);
                end = n;
            } else if matches!(c, ' ' | '-' | '\u{a0}' | '\u{2011}' | '(' | ')' | '+') && digits.len() < 20 {
                gap = true;
            } else {
                break;
            }
        }
        if let Some(found) = judge_digits(&digits, &parts, begins_plus) {
            return Some(found);
        }
        at = end.max(at) + 1;
    }
    None
}

fn judge_digits(digits: &str, parts: &[usize], plus: bool) -> Option<Personal> {
    // The run as one number, and each part by itself: "12 850101300006" is a count and an identification number.
    let mut from = 0;
    for part in parts {
        let piece = digits.get(from..from + part).unwrap_or_default();
        from += part;
        if piece.len() == 12 && is_iin(piece) {
            return Some(Personal::Iin);
        }
        if piece.len() == 11 && is_phone(piece) {
            return Some(Personal::Phone);
        }
        if piece.len() == 16 && is_card(piece) {
            return Some(Personal::Card);
        }
    }
    let local = digits.len() == 10 && digits.starts_with('7') && [&[3, 3, 2, 2][..], &[3, 7], &[3, 3, 4]].contains(&parts);
    match digits.len() {
        12 if parts.len() <= 4 && is_iin(digits) => Some(Personal::Iin),
        11 if is_phone(digits) && (parts.len() > 1 || plus) => Some(Personal::Phone),
        11..=15 if plus => Some(Personal::Phone),
        10 if local => Some(Personal::Phone),
        16 if (parts == [4, 4, 4, 4] || parts.len() == 1) && is_card(digits) => Some(Personal::Card),
        _ => None,
    }
}

/// Eleven digits: 7 or 8, then a code of Kazakhstan (7..) or Russia.
fn is_phone(digits: &str) -> bool {
    let second = digits.as_bytes().get(1).copied().unwrap_or_default();
    digits.len() == 11 && digits.starts_with(['7', '8']) && matches!(second, b'7' | b'9' | b'4' | b'3')
}

/// Twelve digits: birth date, century and sex (0 to 6), and the sum of the standard. A business number (BIN) has no day of birth.
pub fn is_iin(digits: &str) -> bool {
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let d: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let (month, day) = (d[2] * 10 + d[3], d[4] * 10 + d[5]);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || d[6] > 6 {
        return false;
    }
    let sum = |weights: [u32; 11]| weights.iter().zip(&d).map(|(w, d)| w * d).sum::<u32>() % 11;
    let check = match sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
        10 => sum([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]),
        check => check,
    };
    check == d[11]
}

/// Luhn's sum.
fn is_card(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, b)| {
            let d = u32::from(b - b'0') * if n % 2 == 1 { 2 } else { 1 };
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    digits.starts_with(['2', '3', '4', '5', '6']) && sum.is_multiple_of(10)
}

fn has_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    if ["http:", "https:", "www.", "t.me/", "tg://", "wa.me/"].iter().any(|mark| lower.contains(mark)) {
        return true;
    }
    const ENDS: [&str; 14] = ["kz", "ru", "com", "org", "net", "me", "info", "io", "tv", "қаз", "рф", "su", "uz", "kg"];
    lower.split(|c: char| c.is_whitespace() || ",;()«»\"".contains(c)).any(|word| {
        let host = word.split(['/', '?', '#']).next().unwrap_or_default().trim_end_matches('.');
        let mut parts = host.rsplit('.');
        let end = parts.next().unwrap_or_default();
        ENDS.contains(&end)
            && parts.clone().next().is_some_and(|name| name.chars().count() >= 2 && name.chars().all(|c| c.is_alphanumeric() || c == '-'))
    })
}

/// Somebody's words: three words and more between quotation marks. A name in marks («Бөбек» балабақшасы) is none.
fn has_quotation(text: &str) -> bool {
    let pairs = [('«', '»'), ('“', '”'), ('„', '“'), ('"', '"')];
    pairs.into_iter().any(|(open, close)| {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(open) {
            let Some((inside, tail)) = after.split_once(close) else { break };
            if inside.split_whitespace().count() > 3 {
                return true;
            }
            rest = tail;
        }
        false
    })
}

/// Ends of patronymics in their cases; Kazakh ones with their possessive endings.
const PATRONYMICS: [&str; 32] = [
    "ович",
    "евич",
    "овича",
    "евича",
    "овичу",
    "евичу",
    "овичем",
    "евичем",
    "овиче",
    "евиче",
    "овна",
    "евна",
    "овны",
    "евны",
    "овне",
    "евне",
    "овну",
    "евну",
    "овной",
    "евной",
    "ична",
    "ичны",
    "ичне",
    "ичну",
    "ұлы",
    "қызы",
    "ұлының",
    "қызының",
    "ұлына",
    "қызына",
    "улы",
    "кызы",
];
/// Words beside which a name is the name of a street, a school or a village.
const PLACES: [&str; 34] = [
    "ул",
    "улица",
    "улице",
    "улицы",
    "пр",
    "просп",
    "проспект",
    "проспекте",
    "пер",
    "переулок",
    "мкр",
    "микрорайон",
    "площадь",
    "пл",
    "көше",
    "көшесі",
    "көшесінде",
    "көшесінің",
    "даңғылы",
    "даңғылында",
    "тұйық",
    "шағынауданы",
    "мектебі",
    "мектеп",
    "школа",
    "школе",
    "гимназия",
    "лицей",
    "имени",
    "им",
    "атындағы",
    "аулы",
    "ауылы",
    "батыра",
];

fn name(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || ",;:()«»\"!?/".contains(c)).filter(|w| !w.is_empty()).collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase) && word.chars().nth(1).is_some_and(char::is_lowercase);
    let of_a_place = |at: usize| words.iter().enumerate().any(|(n, word)| n.abs_diff(at) <= 3 && PLACES.contains(&bare(word).as_str()));
    for (at, word) in words.iter().enumerate() {
        let lower = bare(word);
        let patronymic = PATRONYMICS.iter().any(|end| lower.strip_suffix(end).is_some_and(|stem| stem.chars().count() >= 3));
        let apart = ["ұлы", "қызы", "улы", "кызы", "оглы", "ұлының", "қызының"].contains(&lower.as_str());
        let beside =
            |n: Option<usize>| n.and_then(|n| words.get(n)).is_some_and(|w| capital(w.trim_matches(|c: char| !c.is_alphanumeric())));
        let named = beside(at.checked_sub(1)) || beside(Some(at + 1));
        if ((patronymic && capital(word) && named) || (apart && beside(at.checked_sub(1)))) && !of_a_place(at) {
            return true;
        }
        if initials(word) > 0 && !of_a_place(at) {
            // "А.Б. Иванов", "Иванов А.Б.", "Иванов А. Б."
            let more = initials(word) > 1 || words.get(at + 1).is_some_and(|w| initials(w) == 1);
            let after = words.get(at + if initials(word) > 1 { 1 } else { 2 }).is_some_and(|w| capital(w));
            if more && (beside(at.checked_sub(1)) || after || surname_joined(word)) {
                return true;
            }
        }
    }
    false
}

/// How many initials a word is: `А.` one, `А.Б.` two.
fn initials(word: &str) -> usize {
    let parts: Vec<&str> = word.split('.').collect();
    let letters = parts.iter().take_while(|p| p.chars().count() == 1 && p.chars().all(char::is_uppercase)).count();
    let rest = parts.get(letters).copied().unwrap_or_default();
    if letters > 0 && parts.len() > letters && (rest.is_empty() || (letters > 1 && rest.chars().next().is_some_and(char::is_uppercase))) {
        letters
    } else {
        0
    }
}

/// `А.Б.Иванов`
fn surname_joined(word: &str) -> bool {
    word.rsplit('.').next().is_some_and(|last| last.chars().count() >= 3 && last.chars().next().is_some_and(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identification_numbers_are_known_by_date_and_sum() {
        // Made up; the sums fit.
        for (digits, fits) in [
            ("850101300005", true),
            ("850101300004", false),
            ("851301300006", false),
            ("850132300006", false),
            ("850101900006", false),
            ("85010130000", false),
            ("940140000385", false),
        ] {
            assert_eq!(is_iin(digits), fits, "{digits}");
        }
        assert_eq!(in_number(850_101_300_005.0), Some(Personal::Iin));
        assert_eq!(in_number(87_011_234_567.0), Some(Personal::Phone));
        assert_eq!(in_number(310_000_000.0), None);
        assert_eq!(in_number(1_234_567.5), None);
        assert_eq!(in_number(-1e308), None);
    }

    #[test]
    fn a_cell_is_refused_for_what_it_holds_and_plain_figures_and_places_are_not() {
        use Personal::*;
        for (text, found) in [
            ("ИИН 850101300005", Some(Iin)),
            ("850101-300005", Some(Iin)),
            ("+7 701 123-45-67", Some(Phone)),
            ("8 (7262) 45-12-13", Some(Phone)),
            ("87011234567", Some(Phone)),
            ("тел. 701 123 45 67", Some(Phone)),
            ("+49 170 1234567", Some(Phone)),
            ("akim@example.kz", Some(Email)),
            ("жазыңыз: a.b-c+d@mail.example.com!", Some(Email)),
            ("@taraz_news", Some(Handle)),
            ("Instagram: @user.name", Some(Handle)),
            ("Иванов Иван Иванович", Some(Name)),
            ("обратилась Ахметова Гульнар Маратовна", Some(Name)),
            ("Серікұлы Асқар", Some(Name)),
            ("Асқар Мұрат ұлы", Some(Name)),
            ("Иванов А.Б.", Some(Name)),
            ("А. Б. Иванов", Some(Name)),
            ("А.Б.Иванов", Some(Name)),
            ("4400 4301 2345 6785", None),
            ("4111 1111 1111 1111", Some(Card)),
            ("Управление образования", None),
            ("Бюро национальной статистики, форма 2-ТП", None),
            ("Жамбыл ауданы", None),
            ("KPI 2026-10, 12,5 % @ 100", None),
            ("1 234 567 890", None),
            ("310000000; 311000000", None),
            ("Абай Құнанбайұлы көшесі, 12", None),
            ("школа имени Бауыржана Момышулы", None),
            ("ул. М. Х. Дулати", None),
            ("", None),
        ] {
            assert_eq!(in_cell(text), found, "{text}");
        }
    }

    #[test]
    fn a_signal_also_has_no_link_quotation_or_plate() {
        use Personal::*;
        for (text, found) in [
            ("см. https://example.kz/1", Some(Link)),
            ("напишите на t.me/chat", Some(Link)),
            ("example.kz жазды", Some(Link)),
            ("жительница сказала: «нам никто не отвечает уже месяц»", Some(Quotation)),
            ("балабақша «Бөбек» жабық", None),
            ("машина 123ABC08 на тротуаре", Some(Plate)),
            ("Үш үйде таңертеңнен жылу жоқ, Төле би көшесі 45", None),
            ("Нет воды с 06:00, дома 12, 14 и 16. Авария на сети", None),
            ("подано 120 обращений за 2026 год", None),
        ] {
            assert_eq!(in_signal(text), found, "{text}");
        }
    }

    #[test]
    fn headers_of_personal_columns_are_known() {
        for header in ["ИИН", "Ф.И.О.", "Аты-жөні", "Телефон ", "e-mail", "Instagram", "Автор"] {
            assert!(in_header(header), "{header}");
        }
        for header in ["район", "показатель", "Источник", "значение", "население", "авторитет"]
        {
            assert!(!in_header(header), "{header}");
        }
    }

    #[test]
    fn what_is_said_names_the_thing_in_three_languages() {
        let all = [Personal::Iin, Personal::Phone, Personal::Link, Personal::Name];
        for what in all {
            let said = what.message();
            assert!(said.en.contains(what.english()) && said.kk.len() > 40 && said.ru.len() > 40);
        }
    }
}
