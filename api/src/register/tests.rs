//! Files in and out, rules, blindness: everything of the register that needs no hub.

use qorgan_domain::{AreaCode, GeoPoint, Trilingual};

use super::{
    import::{Import, Plan, plan},
    *,
};
use crate::{
    areas::Areas,
    table::{self, FORMULA},
};

fn areas() -> Areas {
    Areas::read(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/areas/zhambyl.geojson"))).unwrap()
}

fn school(id: &str) -> Institution {
    Institution {
        id: id.parse().unwrap(),
        name: Trilingual { kk: "№ 17 мектеп".into(), ru: "Школа № 17".into(), en: "School No. 17".into() },
        kind: InstitutionKind::School,
        area: "311000000".parse().unwrap(),
        position: Some(GeoPoint::new(42.9021, 71.3782).unwrap()),
        address: None,
        status: Connection::Connected,
        cause: None,
        owner: None,
        deadline: None,
        provider: None,
        updated_at: UtcMs(1),
        updated_by: "system/config".into(),
    }
}

fn read(known: &[Institution], own: Option<&str>, file: &[u8]) -> Plan {
    let own: Option<AreaCode> = own.map(|code| code.parse().unwrap());
    let areas = areas();
    let import = Import { known, areas: &areas, own_area: own.as_ref(), who: "admin", now: UtcMs(1_000) };
    plan(&table::read(file).unwrap(), &import)
}

const GOOD: &str = "Название (рус.);Атауы (қазақша);Вид;Код КАТО;Статус;Причина;Ответственный;Срок;Широта;Долгота;Телефон\n\
    Школа № 17;№ 17 мектеп;школа;311000000;подключена;;;;42,9021;71,3782;нет\n\
    Школа № 5;№ 5 мектеп;школа;313600000;в работе;нет кабеля;Отдел образования;31.12.2026;;;\n\
    Ясли-сад «Күншуақ»;«Күншуақ» балабақшасы;детский сад;311000000;не подключен;нет денег;Акимат;;;;\n";

#[test]
fn a_good_file_adds_what_is_new_knows_what_is_there_and_twice_changes_nothing() {
    let known = [school("school-17")];
    let plan = read(&known, None, GOOD.as_bytes());
    assert_eq!(plan.errors, []);
    assert_eq!((plan.rows, plan.added.len(), plan.changed.len(), plan.unchanged), (3, 2, 0, 1));
    assert_eq!(plan.ignored, ["Телефон"]);
    let ids: Vec<&str> = plan.added.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["5-mektep", "kunshuaq-balabaqshasy"]);
    assert_eq!(plan.added[0].deadline.as_deref(), Some("2026-12-31"));
    let register: Vec<Institution> = known.into_iter().chain(plan.added).collect();
    let again = read(&register, None, GOOD.as_bytes());
    assert_eq!((again.errors.len(), again.added.len(), again.changed.len(), again.unchanged), (0, 0, 0, 3));
    // What left as a file comes back the same.
    let out = template::export("kk", register.iter());
    let back = read(&register, None, &out);
    assert_eq!((back.errors.len(), back.added.len(), back.changed.len(), back.unchanged), (0, 0, 0, 3));
}

#[test]
fn every_problem_is_named_with_row_column_value_and_what_was_expected() {
    let file = "id,name_kk,name_ru,kind,area,status,cause,owner,deadline,lat,lon\n\
        a-1,А,Б,школа,999999999,connected,,,,,\n\
        a-2,А2,Б2,castle,311000000,perhaps,,,,,\n\
        a-3,А3,Б3,school,311000000,in work,,,tomorrow,,\n\
        a-4,А4,Б4,school,311000000,connected,,,,50.0,71.0\n\
        a-5,А5,,school,31100000,connected,,,,42.9,\n\
        Bad Id,А6,Б6,school,311000000,connected,,,,,\n\
        a-2,А7,Б7,school,311000000,not connected,x,y,,,\n";
    let plan = read(&[], None, file.as_bytes());
    let named: Vec<(u32, &str, &str)> = plan.errors.iter().map(|e| (e.row, e.column.as_str(), e.value.as_str())).collect();
    for expected in [
        (2, "area", "999999999"),
        (3, "kind", "castle"),
        (3, "status", "perhaps"),
        (4, "deadline", "tomorrow"),
        (5, "lat", "50.0"),
        (6, "name_ru", ""),
        (6, "area", "31100000"),
        (7, "id", "Bad Id"),
    ] {
        assert!(named.contains(&expected), "{expected:?} is not in {named:?}");
    }
    assert!(plan.errors.iter().all(|e| !e.expected.is_empty() && e.sheet.is_none()));
}

#[test]
fn cause_owner_and_deadline_are_asked_for_by_status_and_names_twice_are_one_institution() {
    let head = "name_kk;name_ru;kind;area;status;cause;owner;deadline\n";
    let columns =
        |rows: &str| -> Vec<String> { read(&[], None, format!("{head}{rows}").as_bytes()).errors.into_iter().map(|e| e.column).collect() };
    assert_eq!(columns("А;Б;school;311000000;in_work;;;\n"), ["cause", "owner", "deadline"]);
    assert_eq!(columns("А;Б;school;311000000;not_connected;;;\n"), ["cause", "owner"]);
    assert_eq!(columns("А;Б;school;311000000;not_connected;x;y;\n"), Vec::<String>::new());
    assert_eq!(columns("А;Б;school;311000000;connected;;;\n"), Vec::<String>::new());
    let twice = read(&[], None, format!("{head}А;Б;school;311000000;connected;;;\nА;Б;school;311000000;connected;;;\n").as_bytes());
    assert_eq!((twice.added.len(), twice.errors.len()), (1, 1), "two of one name and district need ids");
    assert!(twice.errors[0].expected.contains("row 2"), "{}", twice.errors[0].expected);
    let elsewhere = format!("{head}А;Б;school;311000000;connected;;;\nА;Б;school;313600000;connected;;;\n");
    let plan = read(&[], None, elsewhere.as_bytes());
    assert_eq!(plan.added.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["a", "a-2"], "of two districts they do not");
    let again = read(&plan.added, None, elsewhere.as_bytes());
    assert_eq!((again.errors.len(), again.unchanged), (0, 2));
    let two_known = [school("x-1"), school("x-2")];
    let which = read(&two_known, None, format!("{head}№ 17 мектеп;Б;school;311000000;connected;;;\n").as_bytes());
    assert!(which.errors[0].expected.contains("2 institutions"), "{}", which.errors[0].expected);
}

#[test]
fn a_file_without_its_header_or_with_a_mistyped_one_says_so() {
    let none = read(&[], None, "1;2;3\n4;5;6\n".as_bytes());
    assert!(none.errors[0].expected.contains("name_kk, name_ru, kind, area, status"));
    let missing = read(&[], None, "Название (рус.);Вид;Статус\nx;y;z\n".as_bytes());
    assert_eq!(missing.errors.iter().map(|e| e.column.as_str()).collect::<Vec<_>>(), ["name_kk", "area"]);
    assert_eq!(missing.rows, 0);
    let mistyped = read(&[], None, "name_kk;name_ru;kind;area;status;Отвественный\nА;Б;school;311000000;connected;x\n".as_bytes());
    assert_eq!((mistyped.errors[0].column.as_str(), mistyped.errors[0].expected.as_str()), ("Отвественный", "\"Ответственный\"?"));
    let twice = read(&[], None, "name_kk;name_ru;kind;area;area;status\n".as_bytes());
    assert!(twice.errors[0].expected.contains("not two"));
}

#[test]
fn a_district_contact_imports_its_own_district_only() {
    let known = [school("school-17")];
    let head = "id;name_kk;name_ru;kind;area;status\n";
    let other = read(&known, Some("313600000"), format!("{head};А;Б;school;311000000;connected\n").as_bytes());
    assert_eq!(other.errors[0].expected, "your own district");
    // An institution elsewhere cannot be pulled into the own district either.
    let pulled = read(&known, Some("313600000"), format!("{head}school-17;А;Б;school;313600000;connected\n").as_bytes());
    assert_eq!(pulled.errors[0].column, "id");
    assert!(pulled.added.is_empty() && pulled.changed.is_empty());
}

#[test]
fn templates_read_back_and_only_their_example_row_is_refused() {
    for language in ["kk", "ru", "en"] {
        for file in [template::csv(language), template::xlsx(language).unwrap()] {
            let plan = read(&[], None, &file);
            assert_eq!((plan.rows, plan.errors.len(), plan.ignored.len()), (1, 1, 0), "{language}: {:?}", plan.errors);
            assert!(plan.errors[0].expected.contains("delete it"));
        }
    }
}

#[test]
fn what_leaves_as_a_file_is_no_formula_and_comes_back_as_it_was() {
    let mut evil = school("evil");
    evil.name.kk = "=HYPERLINK(\"http://x\")".into();
    evil.owner = Some("@SUM(A1)".into());
    evil.address = Some("-2+3".into());
    evil.position = Some(GeoPoint::new(42.9021, 71.3782).unwrap());
    let out = String::from_utf8(template::export("en", [&evil].into_iter())).unwrap();
    for sign in FORMULA {
        assert!(!out.split([';', '\n']).any(|field| field.trim_start_matches('"').starts_with(sign) && sign != '\r'), "{out}");
    }
    let back = read(&[evil], None, out.as_bytes());
    assert_eq!((back.errors.len(), back.unchanged), (0, 1), "{:?}", back.changed);
}

#[test]
fn a_place_is_blind_by_its_status_or_when_no_device_can_be_heard() {
    use Connection::{Connected, InWork, NotConnected};
    use Life::{Lost, Never, Ok, Unsupervised};
    for (status, devices, expected) in [
        (NotConnected, &[Ok][..], Some(Blind::NotConnected)),
        (InWork, &[Ok], Some(Blind::InWork)),
        (Connected, &[Ok, Lost], None),
        (Connected, &[Unsupervised], None),
        (Connected, &[Lost, Lost], Some(Blind::Lost)),
        (Connected, &[Lost, Never], Some(Blind::Lost)),
        (Connected, &[Never, Never], Some(Blind::NeverSeen)),
        (Connected, &[], Some(Blind::NeverSeen)),
    ] {
        assert_eq!(blindness(status, devices), expected, "{status:?} {devices:?}");
    }
}

#[test]
fn a_deadline_is_overdue_the_day_after() {
    let mut entry = school("x");
    entry.status = Connection::InWork;
    entry.deadline = Some("2026-11-22".into());
    assert!(!overdue(&entry, jiff::civil::date(2026, 11, 22)));
    assert!(overdue(&entry, jiff::civil::date(2026, 11, 23)));
    entry.status = Connection::Connected;
    assert!(!overdue(&entry, jiff::civil::date(2027, 1, 1)));
}

#[test]
fn changes_name_what_was_and_what_is() {
    let (old, mut new) = (school("x"), school("x"));
    assert!(changes(&old, &new).is_empty());
    new.status = Connection::NotConnected;
    new.cause = Some("fire".into());
    assert_eq!(changes(&old, &new), ["status: connected -> not_connected", "cause: (none) -> fire"]);
}

#[test]
fn dates_are_read_as_people_write_them() {
    for text in ["2026-12-31", "31.12.2026", "31.12.2026 г."] {
        assert_eq!(import::read_date(text), Some(jiff::civil::date(2026, 12, 31)), "{text}");
    }
    for text in ["12/31/2026", "31.12.26", "32.12.2026", "tomorrow", "31.12", "2026"] {
        assert_eq!(import::read_date(text), None, "{text}");
    }
}
