//! Issues, notes and journal entries of the demonstration: made once, each marked.

use jiff::ToSpan;
use qorgan_alerts::store::{AnalyticNote, EmergencyKind, EmergencyVersion, Evidence, IssueState, NoteState, PlanIssue};
use qorgan_domain::{AreaCode, UtcMs};

use crate::hub::App;

const HOUR_MS: i64 = 3_600_000;

/// Evidence of a measure that the demonstration shows as done.
pub(super) fn evidence(now: UtcMs) -> Vec<Evidence> {
    vec![Evidence {
        at: now,
        by: "system/hub".into(),
        words: "Қабылдау актісі (демонстрация) / Акт приёмки (демонстрация)".into(),
        url: None,
    }]
}

/// Hours before now, kind, district, place, what, measures, injured, evacuated, going on.
type Entry = (i64, EmergencyKind, &'static str, &'static str, &'static str, &'static str, i64, i64, bool);

const ENTRIES: [Entry; 12] = [
    (
        2,
        EmergencyKind::Utility,
        "311000000",
        "Сухамбаев көшесі",
        "Жылу құбыры жарылды, 14 үй жылусыз қалды.",
        "Апаттық бригада жұмыс істеп жатыр, балабақшаға жылытқыш жеткізілді.",
        0,
        0,
        true,
    ),
    (
        9,
        EmergencyKind::Accident,
        "313600000",
        "Тараз – Ұзынағаш жолы",
        "Екі жеңіл көлік соқтығысты.",
        "Жедел жәрдем мен жол полициясы келді, қозғалыс ашылды.",
        2,
        0,
        false,
    ),
    (
        15,
        EmergencyKind::Fire,
        "315400000",
        "Меркі ауылы",
        "Шаруашылық қорада өрт шықты.",
        "Өрт сөндірілді, көрші үйлерге жайылған жоқ.",
        0,
        0,
        false,
    ),
    (
        20,
        EmergencyKind::Weather,
        "314200000",
        "Жуалы асуы",
        "Боран, көрінім 100 метрден аз.",
        "Жол жабылды, жылыту пункті ашылды, 18 адам орналастырылды.",
        0,
        18,
        false,
    ),
    (
        31,
        EmergencyKind::Utility,
        "314800000",
        "Қордай",
        "Трансформатор істен шықты, 3 көше жарықсыз.",
        "Резервтік желіге қосылды.",
        0,
        0,
        false,
    ),
    (
        44,
        EmergencyKind::Fire,
        "311000000",
        "7-ықшам аудан",
        "Пәтерде қысқа тұйықталу, түтін.",
        "8 адам шығарылды, ешкім зардап шеккен жоқ.",
        0,
        8,
        false,
    ),
    (70, EmergencyKind::Accident, "316600000", "Шу бекеті", "Жүк көлігі аударылды.", "Жүргізуші ауруханаға жеткізілді.", 1, 0, false),
    (
        95,
        EmergencyKind::Epidemic,
        "315000000",
        "Құлан ауылдық мектебі",
        "Бір сыныпта 9 бала ішек жұқпасымен ауырды.",
        "Асхана тексерілді, сынып қашықтан оқуға ауыстырылды.",
        9,
        0,
        false,
    ),
    (
        130,
        EmergencyKind::Flood,
        "316000000",
        "Сарысу өзені",
        "Мұз кептелісінен су деңгейі көтерілді.",
        "Техника кептелісті ашты, үйлерге су жеткен жоқ.",
        0,
        0,
        false,
    ),
    (
        190,
        EmergencyKind::PublicEvent,
        "311000000",
        "Орталық алаң",
        "Мереке кезінде екі адамның қан қысымы көтерілді.",
        "Кезекші дәрігерлер көмек көрсетті.",
        2,
        0,
        false,
    ),
    (
        260,
        EmergencyKind::Earthquake,
        "314800000",
        "Қордай",
        "3,4 магнитудалы жер сілкінісі сезілді.",
        "Мектептер мен ауруханалар тексерілді, зақым жоқ.",
        0,
        0,
        false,
    ),
    (
        420,
        EmergencyKind::Utility,
        "316200000",
        "Қаратау",
        "Су құбыры тоқтады, екі ықшам аудан.",
        "Су тасымалданды, 11 сағатта жөнделді.",
        0,
        0,
        false,
    ),
];

/// Meeting, days ago, district, block, text.
const ISSUES: [(&str, i64, Option<&str>, &str, &str); 7] = [
    ("Меркі ауданы, тұрғындармен кездесу", 12, Some("315400000"), "utilities", "Орталық көшеде кешке су қысымы түсіп кетеді."),
    ("Тараз, № 8 мектептегі жиналыс", 9, Some("311000000"), "roads", "Мектеп алдындағы өткелге жарық пен жолақ керек."),
    ("Шу қаласы, қоғамдық кеңес", 20, Some("316600000"), "environment", "Арық тазаланбаған, жаңбырда аула суға толады."),
    ("Мойынқұм, ақсақалдар алқасы", 26, Some("315600000"), "jobs", "Қыста жұмыс жоқ, қысқа курстар ұйымдастырылса."),
    ("Тараз, депутаттың қабылдауы", 5, Some("311000000"), "education-health", "Емханада балалар дәрігеріне кезек ұзақ."),
    ("Қордай, ауыл жиыны", 33, Some("314800000"), "roads", "Ауылға дейінгі жолдың 4 шақырымы бұзылған."),
    ("Облыстық қоғамдық кеңес", 40, None, "dialogue", "109 өтініштері бойынша есеп ай сайын жариялансын."),
];

/// Makes them, once.
pub async fn fill(app: &App) -> Result<(), qorgan_alerts::Error> {
    const MARK: &str = "demo.desk";
    if app.store.meta(MARK).await?.is_some() {
        return Ok(());
    }
    let now = app.clock.utc();
    let known = |kato: &str| kato.parse::<AreaCode>().ok().filter(|code| app.areas().contains_code(code));
    for (hours, kind, kato, place, what, measures, injured, evacuated, ongoing) in ENTRIES.into_iter().rev() {
        let Some(area) = known(kato) else { continue };
        let at = UtcMs(now.0 - hours * HOUR_MS);
        let version = EmergencyVersion {
            n: 1,
            at,
            kind,
            area,
            place: Some(place.into()),
            what: what.into(),
            measures: measures.into(),
            dead: 0,
            injured,
            evacuated,
            children: if kind == EmergencyKind::Epidemic { injured } else { 0 },
            ongoing,
            written_at: UtcMs(at.0 + 20 * 60_000),
            written_by: "demo".into(),
            reason: None,
            demo: true,
        };
        app.store.write_emergency(None, &version).await?;
    }
    let today = app.requests.calendar.day(now);
    for (meeting, days, kato, block, text) in ISSUES {
        app.store
            .add_plan_issue(PlanIssue {
                id: 0,
                meeting: meeting.into(),
                held_on: today.checked_sub(days.days()).unwrap_or(today),
                area: kato.and_then(known),
                block: Some(block.into()),
                text: text.into(),
                state: IssueState::Open,
                measure: None,
                answer: None,
                created_at: UtcMs(now.0 - (days - 1) * 24 * HOUR_MS),
                created_by: "demo".into(),
                changed_at: None,
                changed_by: None,
                demo: true,
            })
            .await?;
    }
    for (n, note) in notes(app, now).into_iter().enumerate() {
        tracing::debug!(n, "note of the demonstration");
        app.store.add_note(note).await?;
    }
    app.store.set_meta(MARK, &now.to_string()).await
}

fn notes(app: &App, now: UtcMs) -> Vec<AnalyticNote> {
    let today = app.requests.calendar.day(now);
    let area = |kato: &str| kato.parse::<AreaCode>().ok().filter(|code| app.areas().contains_code(code));
    let note =
        |title: &str, kato: &str, [finding, evidence, recommendation, addressee]: [&str; 4], days: i64, state: NoteState| AnalyticNote {
            id: 0,
            title: title.into(),
            area: area(kato),
            finding: finding.into(),
            evidence: evidence.into(),
            recommendation: recommendation.into(),
            addressee: addressee.into(),
            deadline: today.checked_add(days.days()).unwrap_or(today),
            state,
            answer: (state == NoteState::Answered).then(|| "Кесте бекітілді, бірінші кезек 1 желтоқсанға дейін.".into()),
            answered_at: (state == NoteState::Answered).then_some(UtcMs(now.0 - 24 * HOUR_MS)),
            answer_by: (state == NoteState::Answered).then(|| "Тараз қаласының әкімдігі".into()),
            version: 1,
            created_at: UtcMs(now.0 - 120 * HOUR_MS),
            created_by: "demo".into(),
            sent_at: (state != NoteState::Draft).then_some(UtcMs(now.0 - 96 * HOUR_MS)),
            demo: true,
        };
    vec![
        note(
            "Жылу беру мәселесі / Проблема отопления",
            "311000000",
            [
                "Қалада жылуға қатысты өтініштер жиіледі. / В городе чаще обращаются по отоплению.",
                "109 өтініштерінің үлесі, бір айдағы өсім. / Доля обращений 109, рост за месяц.",
                "Ескі құбырларды ауыстыру кестесін тездету. / Ускорить график замены старых труб.",
                "Тараз қаласының әкімдігі",
            ],
            14,
            NoteState::Answered,
        ),
        note(
            "Мектеп жолындағы жарық / Освещение пути в школу",
            "315400000",
            [
                "Мектеп маңында кешке қараңғы. / Возле школ вечером темно.",
                "Көше шамы туралы өтініштер, кездесудегі мәселе. / Обращения об освещении, вопрос на встрече.",
                "Өткелдерге шам орнату. / Установить фонари у переходов.",
                "Меркі ауданының әкімдігі",
            ],
            10,
            NoteState::Sent,
        ),
        note(
            "Қысқы жұмыс орындары / Зимняя занятость",
            "315600000",
            [
                "Маусымдық жұмыс біткенде табыс азаяды. / После сезона доходы падают.",
                "Жұмыспен қамту бөлімінің деректері. / Данные отдела занятости.",
                "Қысқа курстар мен қоғамдық жұмыс. / Короткие курсы и общественные работы.",
                "Мойынқұм ауданының әкімдігі",
            ],
            30,
            NoteState::Draft,
        ),
    ]
}
