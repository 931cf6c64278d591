//! Ids made of names: the same name gives the same id, so that a file can be imported again.

use std::collections::HashSet;

use qorgan_domain::SiteId;

/// Longest id that is made, so that a number fits behind it.
const MOST: usize = 50;

/// An id for a name that no other has.
pub(super) fn unique(name: &str, taken: &HashSet<String>) -> SiteId {
    let slug = slug(name);
    let free = |id: &String| !taken.contains(id);
    let first = Some(slug.clone()).filter(free);
    let id = first.or_else(|| (2_u32..).map(|n| format!("{slug}-{n}")).find(free)).unwrap_or(slug);
    // A slug holds nothing that an id may not.
    id.parse().unwrap_or_else(|_| fallback())
}

fn fallback() -> SiteId {
    // Unreachable by the tests below; an id must exist all the same.
    "institution".parse().unwrap_or_else(|_| unreachable!("a constant that is an id"))
}

/// Latin letters, digits and hyphens for a name.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match latin(c) {
            Some(text) => out.push_str(text),
            None if c.is_ascii_alphanumeric() => out.push(c),
            None if matches!(c, '«' | '»' | '"' | '\'' | '’' | '№' | 'ъ' | 'ь') => {}
            None => {
                if !out.ends_with('-') && !out.is_empty() {
                    out.push('-');
                }
            }
        }
    }
    out.truncate(MOST);
    let out = out.trim_matches('-');
    if out.is_empty() { "institution".into() } else { out.into() }
}

/// Kazakh and Russian letters in Latin.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'а' | 'ә' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ғ' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' => "i",
        'й' => "i",
        'к' => "k",
        'қ' => "q",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'ң' => "ng",
        'о' | 'ө' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ұ' | 'ү' => "u",
        'ф' => "f",
        'х' | 'һ' => "h",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ы' => "y",
        'ю' => "iu",
        'я' => "ia",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_that_stay_the_same_and_never_clash() {
        let none = HashSet::new();
        for (name, id) in [
            ("№ 17 мектеп", "17-mektep"),
            ("«Достық» алаңы", "dostyq-alangy"),
            ("Ясли-сад № 4 «Күншуақ»", "iasli-sad-4-kunshuaq"),
            ("School No. 5", "school-no-5"),
            ("!!!", "institution"),
            ("北京", "institution"),
        ] {
            assert_eq!(unique(name, &none).as_str(), id);
        }
        let taken: HashSet<String> = ["17-mektep".into(), "17-mektep-2".into()].into();
        assert_eq!(unique("№ 17 мектеп", &taken).as_str(), "17-mektep-3");
        assert!(unique(&"ш".repeat(200), &none).as_str().len() <= 63);
    }
}
