//! Other sources of the tension map: surveys, feeds of registered mass media, registers of appeals and of duties of websites.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode},
    routing::{get, post, put},
};
use qorgan_alerts::{
    intake::{
        disclosure::Answer,
        lexicon::Forms,
        personal,
        plan::{Planned, judge},
        survey::{Sample, SampleError},
    },
    store::{Appeal, Duty, ImportKind, NewImport, StoredSurvey},
};
use qorgan_domain::{AreaCode, Trilingual, UtcMs, indicator::Observation, period::Period};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    intake::{area_name, parsed},
    row,
    signals::{clean, day, past_day},
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    intake::{self, derive},
    view::Names,
};

/// Questions of a survey, and answers of a question.
const MAX_QUESTIONS: usize = 60;
/// Longest text of a question or an answer, in characters.
const MAX_TEXT: usize = 500;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(
    surveys,
    add_survey,
    withdraw_survey,
    feeds,
    feed_totals,
    lexicon,
    appeals,
    add_appeal,
    answer_appeal,
    appeal_totals,
    duties,
    add_duty,
    check_duty
))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::IntakeRead), With(Right::IntakeWrite));
    vec![
        row(Method::GET, "/api/v1/intake/surveys", read, get(surveys)),
        row(Method::POST, "/api/v1/intake/surveys", write, post(add_survey)),
        row(Method::DELETE, "/api/v1/intake/surveys/{id}", write, axum::routing::delete(withdraw_survey)),
        row(Method::GET, "/api/v1/intake/feeds", read, get(feeds)),
        row(Method::GET, "/api/v1/intake/feeds/totals", read, get(feed_totals)),
        row(Method::GET, "/api/v1/intake/lexicon", read, get(lexicon)),
        row(Method::GET, "/api/v1/intake/appeals", read, get(appeals)),
        row(Method::POST, "/api/v1/intake/appeals", write, post(add_appeal)),
        row(Method::PUT, "/api/v1/intake/appeals/{id}", write, put(answer_appeal)),
        row(Method::GET, "/api/v1/intake/appeals/totals", read, get(appeal_totals)),
        row(Method::GET, "/api/v1/intake/duties", read, get(duties)),
        row(Method::POST, "/api/v1/intake/duties", write, post(add_duty)),
        row(Method::PUT, "/api/v1/intake/duties/{id}", write, put(check_duty)),
    ]
}

/// How people were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SurveyType {
    FaceToFace,
    Telephone,
    Online,
    Street,
}

/// A name in three languages, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Three {
    kk: String,
    ru: String,
    en: String,
}

/// An answer with its share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    text: Three,
    share_pct: f64,
    /// Whether it gives the indicator's value; shares of several are added.
    #[serde(default)]
    counts: bool,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuestionBody {
    text: Three,
    /// Indicator that it gives, a share in per cent.
    indicator: Option<String>,
    answers: Vec<AnswerBody>,
}

/// A survey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SurveyBody {
    title: Three,
    #[serde(rename = "type")]
    kind: SurveyType,
    /// People asked.
    sample: u64,
    /// People they were drawn from.
    population: Option<u64>,
    /// `YYYY-MM-DD`.
    begun: String,
    /// `YYYY-MM-DD`.
    ended: String,
    /// KATO code.
    area: String,
    /// 0.90, 0.95 or 0.99.
    #[serde(default = "usual")]
    confidence: f64,
    /// Kish's design effect, 1 to 5.
    #[serde(default = "one")]
    design_effect: f64,
    /// Percentage points; computed when absent, checked when given.
    margin_pct: Option<f64>,
    questions: Vec<QuestionBody>,
}

fn usual() -> f64 {
    0.95
}
fn one() -> f64 {
    1.0
}

/// A survey as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptSurvey {
    survey: SurveyBody,
    margin_computed: bool,
}

/// A survey as it is listed.
#[derive(Serialize, ToSchema)]
struct SurveyView {
    id: i64,
    #[serde(flatten)]
    survey: SurveyBody,
    area_name: Option<Names>,
    margin_computed: bool,
    entered_at: String,
    entered_by: String,
    import: Option<i64>,
}

/// Surveys, newest first.
#[derive(Serialize, ToSchema)]
struct SurveyList {
    surveys: Vec<SurveyView>,
}

fn survey_view(app: &App, stored: StoredSurvey) -> Option<SurveyView> {
    let kept: KeptSurvey = serde_json::from_str(&stored.body).ok()?;
    Some(SurveyView {
        id: stored.id,
        area_name: area_name(app, &stored.area),
        survey: kept.survey,
        margin_computed: kept.margin_computed,
        entered_at: stored.entered_at.to_string(),
        entered_by: stored.entered_by,
        import: stored.import,
    })
}

/// Surveys, newest first.
#[utoipa::path(get, path = "/api/v1/intake/surveys", tag = "intake", responses((status = 200, body = SurveyList)))]
async fn surveys(State(app): State<App>) -> Result<Json<SurveyList>, ApiError> {
    let stored = app.store.surveys().await?;
    Ok(Json(SurveyList { surveys: stored.into_iter().filter_map(|s| survey_view(&app, s)).collect() }))
}

fn bad(field: &str, expected: impl std::fmt::Display) -> ApiError {
    ApiError::invalid(format!("{field}: expected {expected}")).with("field", field)
}

fn known_area(app: &App, area: &str) -> Result<AreaCode, ApiError> {
    intake::area_names(app).find(area).map_err(|expected| bad("area", expected))
}

fn three(text: &Three, field: &str) -> Result<(), ApiError> {
    for text in [&text.kk, &text.ru, &text.en] {
        if text.trim().is_empty() || text.chars().count() > MAX_TEXT || text.contains(char::is_control) {
            return Err(bad(field, format!("1 to {MAX_TEXT} characters in each language")));
        }
        if let Some(found) = personal::in_cell(text) {
            let message = format!("{field}: this looks like {}", found.english());
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "personal_data", message)
                .with("field", field)
                .with("reason", found.as_str()));
        }
    }
    Ok(())
}

/// Checks a survey and makes its values.
fn survey_values(app: &App, survey: &SurveyBody, area: &AreaCode) -> Result<(Vec<Planned>, usize), ApiError> {
    three(&survey.title, "title")?;
    let (begun, ended) = (past_day(app, &survey.begun, "begun")?, past_day(app, &survey.ended, "ended")?);
    if begun > ended {
        return Err(bad("ended", "a day not before begun"));
    }
    if !(1..=MAX_QUESTIONS).contains(&survey.questions.len()) {
        return Err(bad("questions", format!("1 to {MAX_QUESTIONS} questions")));
    }
    let (mut values, mut suppressed) = (Vec::<Planned>::new(), 0);
    for question in &survey.questions {
        three(&question.text, "questions.text")?;
        if !(1..=MAX_QUESTIONS).contains(&question.answers.len()) {
            return Err(bad("questions.answers", format!("1 to {MAX_QUESTIONS} answers")));
        }
        let mut share = 0.0;
        for answer in &question.answers {
            three(&answer.text, "questions.answers.text")?;
            if !answer.share_pct.is_finite() || !(0.0..=100.0).contains(&answer.share_pct) {
                return Err(bad("questions.answers.share_pct", "0 to 100"));
            }
            share += if answer.counts { answer.share_pct } else { 0.0 };
        }
        let Some(id) = question.indicator.as_deref().filter(|id| !id.is_empty()) else { continue };
        let indicator = id
            .parse()
            .ok()
            .and_then(|id| app.config.catalogue.indicator(&id))
            .ok_or_else(|| bad("questions.indicator", "an indicator of the catalogue"))?;
        if !question.answers.iter().any(|answer| answer.counts) {
            return Err(bad("questions.answers.counts", "an answer that counts, where the question gives an indicator"));
        }
        let period = Period::of(indicator.period, ended).map_err(|error| bad("ended", error))?;
        // A sample is far below 2^53.
        let judged = judge(indicator, share, period, None, Some(survey.sample as f64))
            .map_err(|(_, expected, _)| bad("questions.answers.share_pct", expected))?;
        if judged.count.is_some_and(|count| count < qorgan_alerts::intake::disclosure::K) {
            suppressed += 1;
            continue;
        }
        let observation = Observation { area: area.clone(), indicator: indicator.id.clone(), period, value: share, basis: judged.basis };
        if values.iter().any(|v| v.observation.indicator == observation.indicator) {
            return Err(bad("questions.indicator", "each indicator once"));
        }
        values.push(Planned { observation, source: None, row: 0 });
    }
    Ok((values, suppressed))
}

/// Enters a survey; its questions with an indicator give the values of its area.
#[utoipa::path(post, path = "/api/v1/intake/surveys", tag = "intake", request_body = SurveyBody,
    responses((status = 201, body = SurveyView), (status = 422, description = "`margin`, `personal_data` or `invalid`")))]
async fn add_survey(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(mut body): Json<SurveyBody>,
) -> Result<(StatusCode, Json<SurveyView>), ApiError> {
    let area = known_area(&app, &body.area)?;
    let sample = Sample { size: body.sample, population: body.population, confidence: body.confidence, design_effect: body.design_effect };
    let (margin, margin_computed) = sample.judge(body.margin_pct).map_err(|error| {
        let field = match error {
            SampleError::TooSmall => "sample",
            SampleError::Population => "population",
            SampleError::Confidence => "confidence",
            SampleError::DesignEffect => "design_effect",
            SampleError::Margin { .. } => "margin_pct",
        };
        let code = if matches!(error, SampleError::Margin { .. }) { "margin" } else { "invalid" };
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{field}: expected {error}")).with("field", field)
    })?;
    let (values, suppressed) = survey_values(&app, &body, &area)?;
    body.margin_pct = Some((margin * 100.0).round() / 100.0);
    body.area = area.to_string();
    let now = app.clock.utc();
    let title = body.title.ru.clone();
    let kept = serde_json::to_string(&KeptSurvey { survey: body.clone(), margin_computed }).unwrap_or_default();
    let stored = StoredSurvey {
        id: 0,
        area,
        ended: body.ended.clone(),
        body: kept,
        entered_at: now,
        entered_by: session.user.to_string(),
        import: None,
    };
    app.audit_by(&session, "survey.add", "survey", Some(&format!("{title}: sample {}, {} values", body.sample, values.len()))).await?;
    let id = app.store.add_survey(&stored).await?;
    let source = format!("survey {id}: {}", title.chars().take(150).collect::<String>());
    let import =
        NewImport { at: now, who: session.user.to_string(), kind: ImportKind::Survey, source, filename: None, sha256: None, suppressed };
    let added = app.store.add_values(&import, &values, |_| {}).await?;
    app.store.set_survey_import(id, added.import).await?;
    intake::changed(&app);
    let view = survey_view(&app, StoredSurvey { id, import: added.import, ..stored }).ok_or_else(|| ApiError::not_found("survey"))?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Withdraws a survey; its values are undone.
#[utoipa::path(delete, path = "/api/v1/intake/surveys/{id}", tag = "intake", params(("id" = i64, Path)), responses((status = 204), (status = 404)))]
async fn withdraw_survey(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.audit_by(&session, "survey.withdraw", &format!("survey/{id}"), None).await?;
    let now = app.clock.utc();
    let import = app.store.withdraw_survey(id, session.user.as_str(), now).await?.ok_or_else(|| ApiError::not_found("survey"))?;
    if let Some(import) = import {
        // Undone before by hand is as good.
        let _ = app.store.undo_import(import, session.user.as_str(), "survey withdrawn", now).await?;
        intake::changed(&app);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Feeds and how they are.
#[derive(Serialize, ToSchema)]
struct FeedList {
    feeds: Vec<FeedView>,
}

/// How a feed is.
#[derive(Serialize, ToSchema)]
struct FeedView {
    id: String,
    name: String,
    registration: String,
    language: String,
    /// `new`, `ok`, `late` or `failing`.
    state: &'static str,
    last_ok_at: Option<String>,
    last_try_at: Option<String>,
    next_try_at: Option<String>,
    failures: u32,
    error: Option<String>,
    items_today: Option<u64>,
    items_undated: u32,
    demo: bool,
}

/// Feeds of registered mass media, each with its health.
#[utoipa::path(get, path = "/api/v1/intake/feeds", tag = "intake", responses((status = 200, body = FeedList)))]
async fn feeds(State(app): State<App>) -> Result<Json<FeedList>, ApiError> {
    let (now, today) = (app.clock.utc(), intake::today(&app).to_string());
    let text = |at: Option<UtcMs>| at.map(|at| at.to_string());
    let mut feeds = Vec::new();
    for feed in &app.config.intake.feeds {
        let state = app.store.feed_state(feed.id.as_str()).await?;
        let late = state.last_ok_at.is_some_and(|at| now.ms_since(at) > 3 * i64::from(feed.every_min) * 60_000);
        let items = app.store.feed_items_of(feed.id.as_str(), &today).await?;
        feeds.push(FeedView {
            id: feed.id.to_string(),
            name: feed.name.clone(),
            registration: feed.registration.clone(),
            language: feed.language.clone(),
            state: match (state.last_try_at, state.failures) {
                (None, _) => "new",
                (_, 1..) => "failing",
                _ if late => "late",
                _ => "ok",
            },
            last_ok_at: text(state.last_ok_at),
            last_try_at: text(state.last_try_at),
            next_try_at: text(state.next_try_at),
            failures: state.failures,
            error: state.error,
            // Fewer than ten are not told.
            items_today: (items >= qorgan_alerts::intake::disclosure::K).then_some(items / 10 * 10),
            items_undated: state.undated,
            demo: matches!(feed.from, crate::config::FeedFrom::File(_)),
        });
    }
    Ok(Json(FeedList { feeds }))
}

/// From which month to which; the last twelve that have ended when absent.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct TotalsQuery {
    from: Option<String>,
    to: Option<String>,
    area: Option<String>,
}

/// A topic.
#[derive(Serialize, ToSchema)]
struct TopicView {
    id: String,
    name: Names,
}

/// Totals by district, month and topic.
#[derive(Serialize, ToSchema)]
struct Totals {
    topics: Vec<TopicView>,
    periods: Vec<String>,
    cells: Vec<CellView>,
}

/// One total. A topic that is none means all topics.
#[derive(Serialize, ToSchema)]
struct CellView {
    area: String,
    area_name: Option<Names>,
    topic: Option<String>,
    period: String,
    /// `{"count", "state"}`: `exact`, `at_least`, `suppressed` or `open`.
    #[schema(value_type = Object)]
    answer: Answer,
    /// The same of those that were answered late.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    late: Option<Answer>,
}

struct Wanted {
    areas: Vec<AreaCode>,
    months: Vec<Period>,
    topics: Vec<String>,
}

fn wanted(app: &App, query: &TotalsQuery) -> Result<Wanted, ApiError> {
    let month = |text: Option<&str>, field: &str, usual: Period| -> Result<Period, ApiError> {
        let period: Period = parsed(text, field)?.unwrap_or(usual);
        if period.kind() == qorgan_domain::period::PeriodKind::Month { Ok(period) } else { Err(bad(field, "a month such as 2026-10")) }
    };
    let this = Period::of(qorgan_domain::period::PeriodKind::Month, intake::today(app)).map_err(|error| bad("to", error))?;
    let to = month(query.to.as_deref(), "to", this.after(-1))?;
    let from = month(query.from.as_deref(), "from", to.after(-11))?;
    let areas = match query.area.as_deref().filter(|a| !a.is_empty()) {
        Some(area) => vec![known_area(app, area)?],
        None => {
            let mut areas: Vec<AreaCode> = app.areas().iter().map(|a| a.code.clone()).collect();
            let above: std::collections::BTreeSet<AreaCode> = areas.iter().filter_map(intake::parent).collect();
            areas.extend(above.into_iter().filter(|a| !app.areas().contains_code(a)));
            areas
        }
    };
    let topics = app.config.intake.lexicon.lexicon().topic.iter().map(|t| t.id.clone()).collect();
    Ok(Wanted { areas, months: derive::months(from, to), topics })
}

fn totals(app: &App, wanted: &Wanted, cells: Vec<CellView>) -> Totals {
    let topics = app.config.intake.lexicon.lexicon().topic.iter().map(|t| TopicView { id: t.id.clone(), name: (&t.name).into() });
    Totals { topics: topics.collect(), periods: wanted.months.iter().map(ToString::to_string).collect(), cells }
}

/// Publications by district, month and topic. Of months that have ended, ten or more.
#[utoipa::path(get, path = "/api/v1/intake/feeds/totals", tag = "intake", params(TotalsQuery), responses((status = 200, body = Totals), (status = 422)))]
async fn feed_totals(State(app): State<App>, Query(query): Query<TotalsQuery>) -> Result<Json<Totals>, ApiError> {
    let wanted = wanted(&app, &query)?;
    let released = derive::feed_totals(&app).await?;
    let cells = derive::cells(&released, &wanted.areas, &wanted.months, &wanted.topics).into_iter().map(|(area, topic, period, answer)| {
        CellView { area_name: area_name(&app, &area), area: area.to_string(), topic, period: period.to_string(), answer, late: None }
    });
    let cells = cells.collect();
    Ok(Json(totals(&app, &wanted, cells)))
}

/// The words by which publications are counted.
#[derive(Serialize, ToSchema)]
struct LexiconView {
    version: String,
    topics: Vec<LexiconTopic>,
    places: Vec<LexiconPlace>,
}

/// A topic with its words.
#[derive(Serialize, ToSchema)]
struct LexiconTopic {
    id: String,
    name: Names,
    indicator: Option<String>,
    #[schema(value_type = Object)]
    forms: Forms,
}

/// A district with its words.
#[derive(Serialize, ToSchema)]
struct LexiconPlace {
    area: String,
    #[schema(value_type = Object)]
    forms: Forms,
}

/// The whole lexicon, as it counts.
#[utoipa::path(get, path = "/api/v1/intake/lexicon", tag = "intake", responses((status = 200, body = LexiconView)))]
async fn lexicon(State(app): State<App>) -> Json<LexiconView> {
    let lexicon = app.config.intake.lexicon.lexicon();
    let topic = |t: &qorgan_alerts::intake::lexicon::Topic| LexiconTopic {
        id: t.id.clone(),
        name: (&t.name).into(),
        indicator: t.indicator.clone(),
        forms: t.forms.clone(),
    };
    let place = |p: &qorgan_alerts::intake::lexicon::Place| LexiconPlace { area: p.area.to_string(), forms: p.forms.clone() };
    Json(LexiconView {
        version: lexicon.version.clone(),
        topics: lexicon.topic.iter().map(topic).collect(),
        places: lexicon.place.iter().map(place).collect(),
    })
}

/// Which appeals.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AppealQuery {
    area: Option<String>,
    /// A month.
    period: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// An appeal on a leader's blog: that there was one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppealBody {
    received: String,
    area: String,
    /// A topic of the lexicon.
    topic: String,
    /// Whose blog: an office, no name.
    leader: String,
    due: String,
    answered: Option<String>,
}

/// When an appeal was answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnsweredBody {
    answered: String,
}

/// Appeals, newest first.
#[derive(Serialize, ToSchema)]
struct AppealList {
    appeals: Vec<AppealView>,
    next: Option<i64>,
}

/// An appeal.
#[derive(Serialize, ToSchema)]
struct AppealView {
    id: i64,
    received: String,
    area: String,
    area_name: Option<Names>,
    topic: String,
    leader: String,
    due: String,
    answered: Option<String>,
    /// None while it is open and its day has not come.
    in_time: Option<bool>,
}

fn appeal_view(app: &App, appeal: Appeal) -> AppealView {
    let in_time = match &appeal.answered {
        Some(answered) => Some(*answered <= appeal.due),
        None => (intake::today(app).to_string() > appeal.due).then_some(false),
    };
    AppealView {
        id: appeal.id,
        received: appeal.received,
        area_name: area_name(app, &appeal.area),
        area: appeal.area.to_string(),
        topic: appeal.topic,
        leader: appeal.leader,
        due: appeal.due,
        answered: appeal.answered,
        in_time,
    }
}

/// The register of appeals on leaders' blogs. Who works on it sees each; totals are under disclosure control.
#[utoipa::path(get, path = "/api/v1/intake/appeals", tag = "intake", params(AppealQuery), responses((status = 200, body = AppealList), (status = 422)))]
async fn appeals(State(app): State<App>, Query(query): Query<AppealQuery>) -> Result<Json<AppealList>, ApiError> {
    let area: Option<AreaCode> = parsed(query.area.as_deref(), "area")?;
    let month: Option<Period> = parsed(query.period.as_deref(), "period")?;
    let limit = query.limit.unwrap_or(200).clamp(1, 500);
    let area = area.map(|a| a.to_string()).unwrap_or_default();
    let month = month.map(|m| m.to_string()).unwrap_or_default();
    let found = app.store.appeals(&area, &month, query.before, limit).await?;
    let next = (found.len() as u64 == u64::from(limit)).then(|| found.last().map(|a| a.id)).flatten();
    Ok(Json(AppealList { appeals: found.into_iter().map(|a| appeal_view(&app, a)).collect(), next }))
}

/// Enters an appeal.
#[utoipa::path(post, path = "/api/v1/intake/appeals", tag = "intake", request_body = AppealBody, responses((status = 201, body = AppealView), (status = 422)))]
async fn add_appeal(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<AppealBody>,
) -> Result<(StatusCode, Json<AppealView>), ApiError> {
    let (received, due) = (past_day(&app, &body.received, "received")?, day(&body.due, "due")?);
    if due < received {
        return Err(bad("due", "a day not before received"));
    }
    let answered = body.answered.as_deref().filter(|a| !a.is_empty()).map(|a| past_day(&app, a, "answered")).transpose()?;
    if answered.is_some_and(|answered| answered < received) {
        return Err(bad("answered", "a day not before received"));
    }
    if !app.config.intake.lexicon.lexicon().topic.iter().any(|t| t.id == body.topic) {
        return Err(bad("topic", "a topic of GET /api/v1/intake/lexicon"));
    }
    let mut appeal = Appeal {
        id: 0,
        received: received.to_string(),
        area: known_area(&app, &body.area)?,
        topic: body.topic,
        leader: clean(&body.leader, "leader", 200)?,
        due: due.to_string(),
        answered: answered.map(|d| d.to_string()),
        entered_by: session.user.to_string(),
    };
    app.audit_by(&session, "appeal.add", &format!("area/{}", appeal.area), Some(&appeal.topic)).await?;
    appeal.id = app.store.add_appeal(&appeal, app.clock.utc()).await?;
    Ok((StatusCode::CREATED, Json(appeal_view(&app, appeal))))
}

/// Says when an appeal was answered.
#[utoipa::path(put, path = "/api/v1/intake/appeals/{id}", tag = "intake", params(("id" = i64, Path)), request_body = AnsweredBody,
    responses((status = 200, body = AppealView), (status = 404), (status = 409, description = "`answered`"), (status = 422)))]
async fn answer_appeal(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<AnsweredBody>,
) -> Result<Json<AppealView>, ApiError> {
    let answered = past_day(&app, &body.answered, "answered")?.to_string();
    let known = app.store.appeal(id).await?.ok_or_else(|| ApiError::not_found("appeal"))?;
    if answered < known.received {
        return Err(bad("answered", "a day not before received"));
    }
    app.audit_by(&session, "appeal.answer", &format!("appeal/{id}"), Some(&answered)).await?;
    if !app.store.answer_appeal(id, &answered).await? {
        return Err(ApiError::new(StatusCode::CONFLICT, "answered", "This appeal was answered before."));
    }
    let appeal = app.store.appeal(id).await?.ok_or_else(|| ApiError::not_found("appeal"))?;
    Ok(Json(appeal_view(&app, appeal)))
}

/// Appeals by district, month and topic, and how many were late. Of months that have ended, ten or more.
#[utoipa::path(get, path = "/api/v1/intake/appeals/totals", tag = "intake", params(TotalsQuery), responses((status = 200, body = Totals), (status = 422)))]
async fn appeal_totals(State(app): State<App>, Query(query): Query<TotalsQuery>) -> Result<Json<Totals>, ApiError> {
    let wanted = wanted(&app, &query)?;
    let (all, late) = derive::appeal_totals(&app).await?;
    let of_late = derive::cells(&late, &wanted.areas, &wanted.months, &wanted.topics);
    let cells = derive::cells(&all, &wanted.areas, &wanted.months, &wanted.topics).into_iter().zip(of_late).map(
        |((area, topic, period, answer), late)| CellView {
            area_name: area_name(&app, &area),
            area: area.to_string(),
            topic,
            period: period.to_string(),
            answer,
            late: Some(late.3),
        },
    );
    let cells = cells.collect();
    Ok(Json(totals(&app, &wanted, cells)))
}

/// A duty of an official website.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DutyBody {
    /// Host of the website.
    site: String,
    area: Option<String>,
    duty: Three,
    /// Act and article.
    basis: String,
}

/// What a look found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    done: bool,
    checked_at: String,
}

/// Duties of official websites: acts of the authorities, never suppressed.
#[derive(Serialize, ToSchema)]
struct DutyList {
    duties: Vec<DutyView>,
    by_site: Vec<SiteView>,
}

/// A duty.
#[derive(Serialize, ToSchema)]
struct DutyView {
    id: i64,
    site: String,
    area: Option<String>,
    duty: Names,
    basis: String,
    done: bool,
    checked_at: Option<String>,
    checked_by: Option<String>,
}

/// A website with how many of its duties are done.
#[derive(Serialize, ToSchema)]
struct SiteView {
    site: String,
    done: u64,
    of: u64,
}

fn duty_view(duty: Duty) -> DutyView {
    DutyView {
        id: duty.id,
        site: duty.site,
        area: duty.area.map(|a| a.to_string()),
        duty: (&duty.duty).into(),
        basis: duty.basis,
        done: duty.done,
        checked_at: duty.checked_at,
        checked_by: duty.checked_by,
    }
}

/// The register of duties of official websites.
#[utoipa::path(get, path = "/api/v1/intake/duties", tag = "intake", responses((status = 200, body = DutyList)))]
async fn duties(State(app): State<App>) -> Result<Json<DutyList>, ApiError> {
    let duties = app.store.duties().await?;
    let by_site = derive::by_site(duties.iter().map(|d| (d.site.as_str(), d.done)));
    let by_site = by_site.into_iter().map(|(site, (done, of))| SiteView { site, done, of }).collect();
    Ok(Json(DutyList { duties: duties.into_iter().map(duty_view).collect(), by_site }))
}

/// Enters a duty.
#[utoipa::path(post, path = "/api/v1/intake/duties", tag = "intake", request_body = DutyBody, responses((status = 201, body = DutyView), (status = 422)))]
async fn add_duty(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<DutyBody>,
) -> Result<(StatusCode, Json<DutyView>), ApiError> {
    let site = body.site.trim().to_ascii_lowercase();
    let is_host = url::Host::parse(&site).is_ok_and(|host| matches!(host, url::Host::Domain(_))) && site.contains('.') && site.len() <= 253;
    if !is_host {
        return Err(bad("site", "the host of a website, such as gov.example"));
    }
    three(&body.duty, "duty")?;
    let basis = body.basis.trim().to_owned();
    if basis.is_empty() || basis.chars().count() > MAX_TEXT || personal::in_cell(&basis).is_some() {
        return Err(bad("basis", "an act and its article"));
    }
    let area = body.area.as_deref().filter(|a| !a.is_empty()).map(|a| known_area(&app, a)).transpose()?;
    let duty = Trilingual { kk: body.duty.kk, ru: body.duty.ru, en: body.duty.en };
    let mut duty = Duty { id: 0, site, area, duty, basis, done: false, checked_at: None, checked_by: None };
    app.audit_by(&session, "duty.add", &format!("website/{}", duty.site), Some(&duty.basis)).await?;
    duty.id = app.store.add_duty(&duty).await?;
    Ok((StatusCode::CREATED, Json(duty_view(duty))))
}

/// Says what a look at a website found.
#[utoipa::path(put, path = "/api/v1/intake/duties/{id}", tag = "intake", params(("id" = i64, Path)), request_body = CheckBody,
    responses((status = 200, body = DutyView), (status = 404), (status = 422)))]
async fn check_duty(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<CheckBody>,
) -> Result<Json<DutyView>, ApiError> {
    let at = past_day(&app, &body.checked_at, "checked_at")?.to_string();
    app.audit_by(&session, "duty.check", &format!("duty/{id}"), Some(if body.done { "done" } else { "not done" })).await?;
    if !app.store.check_duty(id, body.done, &at, session.user.as_str()).await? {
        return Err(ApiError::not_found("duty"));
    }
    let duty = app.store.duties().await?.into_iter().find(|d| d.id == id).ok_or_else(|| ApiError::not_found("duty"))?;
    Ok(Json(duty_view(duty)))
}
