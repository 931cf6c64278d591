//! The quarterly report of a district: what it tells as JSON, and the paper.

use axum::{
    Extension, Json,
    extract::{Query, State},
    http::Method,
    response::Response,
    routing::get,
};
use qorgan_alerts::{
    store::{EmergencyEntry, NoteState},
    tension::Standing,
};
use qorgan_domain::{AreaCode, Period, Trilingual};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi};

use super::{
    Access::With,
    Route,
    emergencies::pdf,
    notes::note_view,
    plan::{measure_view, plan_figures},
    requests::known_area,
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    report::{
        self,
        quarterly::{BlockPart, IndexPart, IndicatorPart, Quarterly, Score, write},
    },
    requests::figures::{Span, Telling, begins, figures, today},
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(quarterly, quarterly_pdf))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let read = With(Right::ReportsRead);
    vec![
        row(Method::GET, "/api/v1/reports/quarterly", read, get(quarterly)),
        row(Method::GET, "/api/v1/reports/quarterly.pdf", read, get(quarterly_pdf)),
    ]
}

/// Which report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    /// KATO code.
    area: Option<String>,
    /// `2026-Q4`; the quarter that runs when absent.
    quarter: Option<String>,
    /// Language of the paper.
    lang: Option<String>,
}

/// What the report tells.
#[utoipa::path(get, path = "/api/v1/reports/quarterly", tag = "reports", params(ReportQuery), responses((status = 200), (status = 404), (status = 422)))]
pub(super) async fn quarterly(State(app): State<App>, Query(query): Query<ReportQuery>) -> Result<Json<Value>, ApiError> {
    let report = gather(&app, &query).await?;
    let (entries, dead, injured) = report.emergencies;
    let index = report.index.as_ref().map(|index| {
        let blocks: Vec<Value> = index
            .blocks
            .iter()
            .map(|b| {
                json!({
                    "block": b.block, "name": b.name, "value": b.score.value, "low": b.score.low, "high": b.score.high,
                    "coverage": b.score.coverage, "zero_by_rule": b.zero_by_rule,
                })
            })
            .collect();
        json!({ "value": index.overall.value, "low": index.overall.low, "high": index.overall.high, "blocks": blocks, "notes": index.notes })
    });
    let plan = plan_figures(&report.measures, report.today);
    Ok(Json(json!({
        "area": report.area, "area_name": report.area_name, "quarter": report.span.text, "from": report.span.from.to_string(),
        "to": report.span.to.yesterday().unwrap_or(report.span.to).to_string(), "complete": report.complete, "index": index,
        "indicators": report.indicators, "requests": report.requests,
        "plan": { "measures": report.measures.iter().map(|m| measure_view(m, report.today)).collect::<Vec<_>>(), "done": plan["done"], "late": plan["late"] },
        "emergencies": { "entries": entries, "dead": dead, "injured": injured },
        "notes": report.notes.iter().map(|n| note_view(&app, n)).collect::<Vec<_>>(), "demo": report.demo,
    })))
}

/// The report as a PDF.
#[utoipa::path(get, path = "/api/v1/reports/quarterly.pdf", tag = "reports", params(ReportQuery),
    responses((status = 200, content_type = "application/pdf"), (status = 404), (status = 422)))]
pub(super) async fn quarterly_pdf(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, ApiError> {
    let report = gather(&app, &query).await?;
    let language = query.lang.unwrap_or_else(|| app.config.hub.language.clone());
    app.audit_by(&session, "report.quarterly", &format!("area/{}", report.area), Some(&report.span.text)).await?;
    let frame = report::Frame::new(&app, &language);
    let name = format!("quarterly-{}-{}.pdf", report.area, report.span.text);
    let settings = app.requests.settings.clone();
    let made = tokio::task::spawn_blocking(move || write(&report, &settings, &frame)).await;
    pdf(made.unwrap_or_else(|e| Err(report::ReportError::Pdf(e.to_string()))), &name)
}

async fn gather(app: &App, query: &ReportQuery) -> Result<Quarterly, ApiError> {
    let area = known_area(app, query.area.as_deref())?.ok_or_else(|| ApiError::invalid("area is needed").with("field", "area"))?;
    let today = today(app);
    let quarter = match query.quarter.as_deref().filter(|q| !q.is_empty()) {
        Some(quarter) => quarter.to_owned(),
        None => format!("{:04}-Q{}", today.year(), (today.month() - 1) / 3 + 1),
    };
    let wrong = || ApiError::invalid("quarter is one such as 2026-Q4").with("field", "quarter");
    let span = Span::parse(&quarter).filter(|_| quarter.contains('Q')).ok_or_else(wrong)?;
    let name = app.areas().get(&area).map(|a| a.name.clone()).ok_or_else(|| ApiError::not_found("area"))?;
    // Readers of reports are no readers of requests: rounded, whoever opens it, so that a paper can be passed on.
    let requests = figures(app, &span, Some(&area), Telling::Rounded).await?;
    let measures = app.store.measures().await?.into_iter().filter(|m| m.area.as_ref().is_none_or(|of| *of == area)).collect::<Vec<_>>();
    let entries = app.store.emergencies(begins(app, span.from), begins(app, span.to), None, Some(&area), None, 10_000).await?;
    let newest: Vec<_> = entries.iter().filter_map(EmergencyEntry::newest).collect();
    let notes = app.store.notes(Some(&area), None).await?.into_iter().filter(|n| n.state != NoteState::Draft).collect::<Vec<_>>();
    let (index, indicators) = index_of(app, &area, &span);
    let demo = app.config.hub.demo_logins || measures.iter().any(|m| m.demo) || newest.iter().any(|v| v.demo);
    Ok(Quarterly {
        area_name: name,
        complete: span.to <= today,
        emergencies: (newest.len(), newest.iter().map(|v| v.dead).sum(), newest.iter().map(|v| v.injured).sum()),
        area,
        span,
        index,
        indicators,
        requests,
        measures,
        notes,
        today,
        demo,
    })
}

/// The index of a district in a quarter: of the newest period that lies in it. The one place where the report meets the tension map.
fn index_of(app: &App, area: &AreaCode, span: &Span) -> (Option<IndexPart>, Vec<IndicatorPart>) {
    let Some(results) = app.tension.results() else { return (None, Vec::new()) };
    let Some(at) = results.area(area.as_str()) else { return (None, Vec::new()) };
    let within = |period: &Period| period.first_day() >= span.from && period.last_day() < span.to;
    let Some(now) = results.index.periods.iter().rposition(|p| within(&p.period)) else { return (None, Vec::new()) };
    let before = results.index.periods.iter().rposition(|p| p.period.last_day() < span.from);
    let found = &results.index.periods[now].areas[at];
    let score = |standing: Standing| {
        let shown = standing.shown();
        Score {
            value: shown.map(|s| s.value()),
            low: shown.map(|s| s.band().p5),
            high: shown.map(|s| s.band().p95),
            coverage: standing.coverage(),
        }
    };
    let block = |(n, block): (usize, &qorgan_domain::Block)| BlockPart {
        block: block.id.to_string(),
        name: block.name.clone(),
        score: score(found.blocks[n]),
        zero_by_rule: block.zero_by_rule,
    };
    let note = |names: Names| Trilingual { kk: names.kk, ru: names.ru, en: names.en };
    let index = IndexPart {
        overall: score(found.overall),
        blocks: results.catalogue.blocks.iter().enumerate().map(block).collect(),
        notes: results.notes().into_iter().map(note).collect(),
    };
    let value = |period: usize, n: usize| {
        results.index.periods[period].areas[at].indicators[n].filter(|score| !score.carried).map(|score| score.value)
    };
    let indicator = |(n, indicator): (usize, &qorgan_domain::Indicator)| {
        let (value, previous) = (value(now, n), before.and_then(|before| value(before, n)));
        (value.is_some() || previous.is_some()).then(|| IndicatorPart {
            id: indicator.id.to_string(),
            name: indicator.name.clone(),
            unit: indicator.unit.clone(),
            value,
            previous,
        })
    };
    (Some(index), results.catalogue.indicators.iter().enumerate().filter_map(indicator).collect())
}
