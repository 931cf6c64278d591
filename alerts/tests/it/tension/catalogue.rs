//! The catalogue that ships, and catalogues that must not be taken.

use qorgan_alerts::tension::{Method, catalogue};
use qorgan_domain::{Direction, ValueKind};

const SHIPPED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/indicators.toml"));

#[test]
fn the_shipped_catalogue_has_seven_blocks_and_47_indicators_in_three_languages() {
    let catalogue = catalogue::parse(SHIPPED).unwrap();
    let blocks: Vec<&str> = catalogue.blocks.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(blocks, ["politics", "protest", "concerns", "interethnic", "labour", "economy", "youth"]);
    assert_eq!(catalogue.indicators.len(), 47);
    // Kazakh is Cyrillic with its own letters somewhere, Russian is not Kazakh, English is Latin.
    let kazakh = |text: &str| text.chars().any(|c| "әғқңөұүһіӘҒҚҢӨҰҮҺІ".contains(c));
    for (what, name) in
        catalogue.indicators.iter().map(|i| (i.id.as_str(), &i.name)).chain(catalogue.blocks.iter().map(|b| (b.id.as_str(), &b.name)))
    {
        assert!(!kazakh(&name.ru) && name.en.is_ascii(), "{what}: {name:?}");
        assert!(name.kk != name.ru && name.kk.chars().any(|c| ('а'..='я').contains(&c)), "{what}: {name:?}");
    }
    assert!(catalogue.indicators.iter().filter(|i| kazakh(&i.name.kk)).count() >= 45);
    // What people or posts are counted in is suppressed below ten unless an authority publishes it.
    assert!(catalogue.indicators.iter().filter(|i| i.counts.is_some()).count() > 15);
    let method = Method::first(&catalogue);
    assert_eq!(method.check(&catalogue, None), Ok(()));
    let protest = catalogue.blocks.iter().find(|b| b.id.as_str() == "protest").unwrap();
    assert!(protest.zero_by_rule && protest.weight == 0.0 && method.block_weight(&protest.id) == 0.0);
    assert_eq!(catalogue.blocks.iter().filter(|b| b.zero_by_rule).count(), 1);
    for i in &catalogue.indicators {
        assert_eq!(i.direction == Direction::MoreIsWorse, i.calm < i.strained, "{}", i.id);
        assert!(i.legal_basis.en.contains("No. "), "{}", i.id);
        assert!(!matches!(i.kind, ValueKind::Share) || i.max == 100.0, "{}", i.id);
    }
}

#[test]
fn words_of_the_catalogue_speak_of_service_and_accuse_nobody() {
    let lower = SHIPPED.to_lowercase();
    for word in [
        "несанкционирован",
        "нарушител",
        "экстремис",
        "радикал",
        "неблагонадёжн",
        "unauthorised",
        "extremis",
        "violator",
        "рұқсатсыз",
        "бұзақы",
    ] {
        assert!(!lower.contains(word), "{word}");
    }
}

fn small() -> String {
    let name = r#"{ kk = "а", ru = "б", en = "c" }"#;
    let mut text = "version = \"t\"\n[unit.percent]\nkk = \"%\"\nru = \"%\"\nen = \"%\"\n[source.s]\nkk = \"а\"\nru = \"б\"\nen = \"c\"\n[basis.l]\nkk = \"а\"\nru = \"б\"\nen = \"c\"\n".to_owned();
    text.push_str(&format!(
        "[[block]]\nid = \"one\"\nname = {name}\n[[block]]\nid = \"protest\"\nname = {name}\nweight = 0\nzero_by_rule = true\n"
    ));
    for (id, block) in [("a", "one"), ("p", "protest")] {
        text.push_str(&format!(
            "[[indicator]]\nid = \"{id}\"\nblock = \"{block}\"\nname = {name}\nunit = \"percent\"\ndirection = \"more_is_worse\"\nsource = \"s\"\nperiod = \"month\"\nrange = [0, 100]\nreferences = [1, 50]\nbasis = \"l\"\nkind = \"share\"\nproposal = true\n"
        ));
    }
    text
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    assert!(catalogue::parse(&small()).is_ok());
    for (from, to, reason) in [
        ("weight = 0\n", "weight = 0.5\n", "zero by rule"),
        ("id = \"p\"", "id = \"a\"", "stands twice"),
        ("id = \"protest\"\nname", "id = \"one\"\nname", "stands twice"),
        ("block = \"one\"", "block = \"two\"", "no block \"two\""),
        ("unit = \"percent\"", "unit = \"percnt\"", "unit \"percnt\" stands in no [unit.percnt]"),
        ("range = [0, 100]", "range = [100, 0]", "range is"),
        ("range = [0, 100]", "range = [0, nan]", "range is"),
        ("range = [0, 100]", "range = [0, 1e308]", "range is"),
        ("range = [0, 100]", "range = [-5, 100]", "does not fit its kind"),
        ("references = [1, 50]", "references = [50, 1]", "contradict the direction"),
        ("references = [1, 50]", "references = [1, 500]", "inside the range"),
        ("kind = \"share\"", "kind = { rate = { per = 0 } }", "does not fit its kind"),
        ("kind = \"share\"", "kind = { measure = { relative_error = 3 } }", "does not fit its kind"),
        ("proposal = true", "proposal = true\nautor = \"x\"", "unknown field `autor`"),
        ("en = \"c\" }", "en = \"\" }", "a name is missing"),
        ("id = \"a\"", "id = \"A B\"", "may hold only"),
        ("version = \"t\"", "version = \" \"", "version is empty"),
        ("block = \"protest\"", "block = \"one\"", "has no indicator"),
    ] {
        let text = small().replacen(from, to, 1);
        assert_ne!(text, small(), "{from} is not there");
        let said = catalogue::parse(&text).unwrap_err().to_string();
        assert!(said.contains(reason), "{to}: {said}");
    }
    assert!(catalogue::parse("").is_err() && catalogue::parse(&" ".repeat(catalogue::MAX_BYTES + 1)).is_err());
}
