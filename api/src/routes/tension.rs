//! The tension index: catalogue, index, map, series, forecast, page of an area, export. Methods and weights: `tension_method.rs`.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use qorgan_alerts::tension::{ForecastError, forecast, words};
use qorgan_domain::{Period, indicator::ValueKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{Access::With, Route, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    tension::{
        AreaScores, BlockRow, IndexHead, IndicatorRow, MapArea, Point, Results, ScoreView, TrendView, What, area_scores, direction, round,
        rows as area_rows, xlsx,
    },
    view::Names,
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(catalogue, index, map, series, make_forecast, area, export))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let read = With(Right::TensionRead);
    vec![
        row(Method::GET, "/api/v1/tension/catalogue", read, get(catalogue)),
        row(Method::GET, "/api/v1/tension/index", read, get(index)),
        row(Method::GET, "/api/v1/tension/map", read, get(map)),
        row(Method::GET, "/api/v1/tension/series", read, get(series)),
        row(Method::GET, "/api/v1/tension/forecast", read, get(make_forecast)),
        row(Method::GET, "/api/v1/tension/areas/{id}", read, get(area)),
        row(Method::GET, "/api/v1/tension/export.xlsx", read, get(export)),
    ]
}

/// Which period, of which method.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// `2026-Q3`; the newest when absent.
    period: Option<String>,
    /// Version of a method; the one that holds when absent.
    method: Option<i64>,
}

/// What a map is of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct MapQuery {
    /// `2026-Q3`; the newest when absent.
    period: Option<String>,
    /// A block.
    block: Option<String>,
    /// Or an indicator; neither: all blocks together.
    indicator: Option<String>,
}

/// What a series or forecast is of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesQuery {
    /// KATO code.
    area: String,
    /// A block.
    block: Option<String>,
    /// Or an indicator; neither: all blocks together.
    indicator: Option<String>,
    /// Steps ahead, 1 to 12 (forecast only); 4 when absent.
    horizon: Option<usize>,
}

/// Which export.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    /// `2026-Q3`; the newest when absent.
    period: Option<String>,
    /// `kk`, `ru` or `en`; the hub's when absent.
    language: Option<String>,
}

/// The index of every area.
#[derive(Serialize, ToSchema)]
pub(super) struct IndexBody {
    #[serde(flatten)]
    head: IndexHead,
    /// The period.
    period: String,
    /// Every period, oldest first.
    periods: Vec<String>,
    /// Areas.
    areas: Vec<AreaScores>,
}

/// What something is of.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatView {
    /// `overall`, `block` or `indicator`.
    kind: &'static str,
    /// Id of the block or indicator.
    id: Option<String>,
    /// Name.
    name: Names,
    /// Unit of an indicator.
    unit: Option<Names>,
    /// Direction of an indicator.
    direction: Option<&'static str>,
}

/// A choropleth.
#[derive(Serialize, ToSchema)]
pub(super) struct MapBody {
    #[serde(flatten)]
    head: IndexHead,
    /// The period.
    period: String,
    /// Every period, oldest first.
    periods: Vec<String>,
    /// What it is of.
    what: WhatView,
    /// Areas.
    areas: Vec<MapArea>,
}

/// An area through time.
#[derive(Serialize, ToSchema)]
pub(super) struct SeriesBody {
    #[serde(flatten)]
    head: IndexHead,
    /// KATO code.
    area: String,
    /// Name.
    name: Names,
    /// What it is of.
    what: WhatView,
    /// Oldest first.
    points: Vec<Point>,
    /// Dynamics at its end.
    trend: TrendView,
}

/// The page of an area.
#[derive(Serialize, ToSchema)]
pub(super) struct AreaBody {
    #[serde(flatten)]
    head: IndexHead,
    /// The period.
    period: String,
    /// Every period, oldest first.
    periods: Vec<String>,
    /// KATO code.
    area: String,
    /// Name.
    name: Names,
    /// Drawn, not surveyed.
    schematic: bool,
    /// `[lat, lon]`.
    centre: Option<[f64; 2]>,
    /// Of all blocks together.
    overall: ScoreView,
    /// Blocks.
    blocks: Vec<BlockRow>,
    /// Indicators.
    indicators: Vec<IndicatorRow>,
    /// Through time, by `overall` and ids of blocks.
    series: serde_json::Map<String, Value>,
}

/// The results, or that there are none yet.
pub(super) fn results(app: &App) -> Result<Arc<Results>, ApiError> {
    let none = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "computing", "The index is being computed; try again in some seconds.");
    app.tension.results().ok_or_else(none)
}

fn head(app: &App, results: &Results) -> IndexHead {
    results.head(app.tension.is_stale())
}

fn parse_period(text: Option<&str>) -> Result<Option<Period>, ApiError> {
    text.map(|text| text.parse().map_err(|e: qorgan_domain::period::PeriodError| ApiError::invalid(e.to_string()))).transpose()
}

/// The place of the period asked for, or of the newest in which anything is shown.
fn place(results: &Results, text: Option<&str>) -> Result<usize, ApiError> {
    let missing = || ApiError::not_found("period");
    match parse_period(text)? {
        Some(period) => results.period(period).ok_or_else(missing),
        None => {
            let shown = |p: &qorgan_alerts::tension::PeriodIndex| p.areas.iter().any(|a| a.overall.shown().is_some());
            let newest = results.index.periods.iter().rposition(shown);
            newest.or_else(|| results.index.periods.len().checked_sub(1)).ok_or_else(missing)
        }
    }
}

fn what(results: &Results, block: Option<&str>, indicator: Option<&str>) -> Result<What, ApiError> {
    let catalogue = &results.catalogue;
    match (block, indicator) {
        (Some(_), Some(_)) => Err(ApiError::invalid("either a block or an indicator")),
        (None, None) => Ok(What::Overall),
        (Some(id), None) => {
            let at = catalogue.blocks.iter().position(|b| b.id.as_str() == id);
            at.map(What::Block).ok_or_else(|| ApiError::not_found("block"))
        }
        (None, Some(id)) => {
            let at = catalogue.indicators.iter().position(|i| i.id.as_str() == id);
            at.map(What::Indicator).ok_or_else(|| ApiError::not_found("indicator"))
        }
    }
}

fn what_view(results: &Results, what: &What) -> WhatView {
    match what {
        What::Overall => {
            let name = Names { kk: "Жалпы индекс".into(), ru: "Общий индекс".into(), en: "Overall index".into() };
            WhatView { kind: "overall", id: None, name, unit: None, direction: None }
        }
        What::Block(at) => {
            let block = &results.catalogue.blocks[*at];
            WhatView { kind: "block", id: Some(block.id.to_string()), name: (&block.name).into(), unit: None, direction: None }
        }
        What::Indicator(at) => {
            let i = &results.catalogue.indicators[*at];
            let (id, unit) = (Some(i.id.to_string()), Some((&i.unit).into()));
            WhatView { kind: "indicator", id, name: (&i.name).into(), unit, direction: Some(direction(i)) }
        }
    }
}

/// Blocks and indicators, with what each rests on.
#[utoipa::path(get, path = "/api/v1/tension/catalogue", tag = "tension", responses((status = 200, body = Value)))]
pub(super) async fn catalogue(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let results = results(&app)?;
    let catalogue = &results.catalogue;
    let count = |id| catalogue.indicators.iter().filter(|i| i.block == id).count();
    let blocks: Vec<Value> = catalogue
        .blocks
        .iter()
        .map(|b| {
            let effective = results.method.method.block_weight(&b.id);
            json!({ "id": b.id, "name": b.name, "weight": b.weight, "zero_by_rule": b.zero_by_rule, "effective_weight": effective,
                "indicators": count(b.id.clone()) })
        })
        .collect();
    let indicators: Vec<Value> = catalogue
        .indicators
        .iter()
        .map(|i| {
            let (kind, per, error) = match i.kind {
                ValueKind::Share => ("share", None, None),
                ValueKind::Rate { per } => ("rate", Some(per), None),
                ValueKind::Count => ("count", None, None),
                ValueKind::Measure { relative_error } => ("measure", None, Some(relative_error)),
            };
            let decimals = if matches!(i.kind, ValueKind::Count) {
                0
            } else if (i.strained - i.calm).abs() < 10.0 {
                2
            } else {
                1
            };
            json!({ "id": i.id, "block": i.block, "name": i.name, "unit": i.unit, "direction": i.direction, "source": i.source,
                "period": i.period, "min": i.min, "max": i.max, "calm": i.calm, "strained": i.strained, "legal_basis": i.legal_basis,
                "weight": i.weight, "proposal": i.proposal, "kind": kind, "per": per, "relative_error": error, "counts": i.counts,
                "official": i.official, "decimals": decimals })
        })
        .collect();
    let notes = results.notes();
    Ok(Json(json!({ "version": catalogue.version, "blocks": blocks, "indicators": indicators, "notes": notes })))
}

/// The index of every area in a period, with the band of each score; of an earlier method as it was shown.
#[utoipa::path(get, path = "/api/v1/tension/index", tag = "tension", params(When),
    responses((status = 200, body = IndexBody), (status = 404), (status = 422), (status = 503, description = "`computing`")))]
pub(super) async fn index(State(app): State<App>, Query(when): Query<When>) -> Result<Response, ApiError> {
    let results = results(&app)?;
    if let Some(version) = when.method.filter(|version| *version != results.method.method.version) {
        return earlier(&app, &results, version, when.period.as_deref()).await;
    }
    let at = place(&results, when.period.as_deref())?;
    let body = IndexBody {
        head: head(&app, &results),
        period: results.index.periods[at].period.to_string(),
        periods: results.period_names(),
        areas: area_scores(&results, at, true),
    };
    Ok(Json(body).into_response())
}

async fn earlier(app: &App, results: &Results, version: i64, period: Option<&str>) -> Result<Response, ApiError> {
    let periods = app.store.tension_periods(version).await?;
    let period = match parse_period(period)? {
        Some(period) => period,
        None => *periods.last().ok_or_else(|| ApiError::not_found("method"))?,
    };
    let stored = app.store.tension_result(version, period).await?.ok_or_else(|| ApiError::not_found("result"))?;
    let areas: Value = serde_json::from_str(&stored.body).unwrap_or_default();
    let mut head = head(app, results);
    (head.method, head.computed_at, head.stale) = (version, stored.computed_at.to_string(), false);
    let mut body = serde_json::to_value(head).unwrap_or_default();
    body["period"] = json!(period);
    body["periods"] = json!(periods);
    body["areas"] = areas;
    Ok(Json(body).into_response())
}

/// A choropleth: the index, a block or an indicator.
#[utoipa::path(get, path = "/api/v1/tension/map", tag = "tension", params(MapQuery),
    responses((status = 200, body = MapBody), (status = 404), (status = 422), (status = 503)))]
pub(super) async fn map(State(app): State<App>, Query(query): Query<MapQuery>) -> Result<Json<MapBody>, ApiError> {
    let results = results(&app)?;
    let at = place(&results, query.period.as_deref())?;
    let what = what(&results, query.block.as_deref(), query.indicator.as_deref())?;
    Ok(Json(MapBody {
        head: head(&app, &results),
        period: results.index.periods[at].period.to_string(),
        periods: results.period_names(),
        what: what_view(&results, &what),
        areas: MapArea::all(&results, at, &what),
    }))
}

/// An area through time.
#[utoipa::path(get, path = "/api/v1/tension/series", tag = "tension", params(SeriesQuery),
    responses((status = 200, body = SeriesBody), (status = 404), (status = 422), (status = 503)))]
pub(super) async fn series(State(app): State<App>, Query(query): Query<SeriesQuery>) -> Result<Json<SeriesBody>, ApiError> {
    let results = results(&app)?;
    let area = results.area(&query.area).ok_or_else(|| ApiError::not_found("area"))?;
    let what = what(&results, query.block.as_deref(), query.indicator.as_deref())?;
    let last = results.index.periods.len().checked_sub(1).ok_or_else(|| ApiError::not_found("period"))?;
    Ok(Json(SeriesBody {
        head: head(&app, &results),
        area: query.area,
        name: (&results.areas[area].name).into(),
        what: what_view(&results, &what),
        points: (0..=last).map(|period| Point::new(&results, period, area, &what)).collect(),
        trend: results.trend(last, area, &what).into(),
    }))
}

/// What may come next, with the errors that were made before.
#[utoipa::path(get, path = "/api/v1/tension/forecast", tag = "tension", params(SeriesQuery),
    responses((status = 200, body = Value), (status = 404), (status = 422, description = "`too_short`, `gaps`"), (status = 503)))]
pub(super) async fn make_forecast(State(app): State<App>, Query(query): Query<SeriesQuery>) -> Result<Json<Value>, ApiError> {
    let results = results(&app)?;
    let area = results.area(&query.area).ok_or_else(|| ApiError::not_found("area"))?;
    let what = what(&results, query.block.as_deref(), query.indicator.as_deref())?;
    let steps = query.horizon.unwrap_or(4);
    if !(1..=forecast::HORIZON).contains(&steps) {
        return Err(ApiError::invalid("horizon is 1 to 12"));
    }
    let (hub, kept, of) = (app.clone(), results.clone(), what.clone());
    let work = tokio::task::spawn_blocking(move || hub.tension.forecast(&kept, area, &of, steps)).await;
    let broke = |_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The forecast broke off.");
    let found = work.map_err(broke)?;
    let found = match found.as_ref() {
        Ok(found) => found,
        Err(error @ ForecastError::TooShort { points }) => {
            let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_short", error.to_string());
            return Err(error.with("points", *points).with("needed", forecast::NEEDED));
        }
        Err(error @ ForecastError::Gaps { .. }) => return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "gaps", error.to_string())),
        Err(error) => return Err(ApiError::invalid(error.to_string())),
    };
    let past: Vec<(Period, Option<f64>)> = results.past(area, &what);
    let last = past.iter().rev().find(|(_, value)| value.is_some()).map(|(period, _)| *period);
    let ahead = |n: usize| last.map(|period| period.after(i32::try_from(n + 1).unwrap_or(1)).to_string());
    let points: Vec<Value> = found
        .steps
        .iter()
        .enumerate()
        .map(|(n, s)| json!({ "period": ahead(n), "value": round(s.value), "low": round(s.low), "high": round(s.high) }))
        .collect();
    let horizons: Vec<Value> = found
        .errors
        .iter()
        .map(|e| json!({ "steps": e.steps, "mae": round(e.mae), "mae_last_value": round(e.mae_last_value), "coverage": round(e.coverage), "n": e.n }))
        .collect();
    let what = what_view(&results, &what);
    let past: Vec<Value> = past.iter().filter_map(|(period, value)| Some(json!({ "period": period, "value": round((*value)?) }))).collect();
    Ok(Json(json!({
        "area": query.area, "name": Names::from(&results.areas[area].name), "unit": what.unit, "what": what,
        "method": results.method.method.version, "demo": results.demo, "notes": results.notes(),
        "model": found.model, "model_name": Names::from(&words::model(found.model)), "interval": forecast::INTERVAL,
        "past": past, "points": points,
        "errors": { "origins": found.origins, "horizons": horizons, "better_than_last_value": found.better_than_last_value(),
            "text": Names::from(&words::past_errors(found)) },
    })))
}

/// Everything about an area in a period.
#[utoipa::path(get, path = "/api/v1/tension/areas/{id}", tag = "tension", params(("id" = String, Path), When),
    responses((status = 200, body = AreaBody), (status = 404), (status = 422), (status = 503)))]
pub(super) async fn area(State(app): State<App>, Path(code): Path<String>, Query(when): Query<When>) -> Result<Json<AreaBody>, ApiError> {
    let results = results(&app)?;
    let area = results.area(&code).ok_or_else(|| ApiError::not_found("area"))?;
    let at = place(&results, when.period.as_deref())?;
    let places = qorgan_alerts::tension::rank::places(&results.bands(at, &What::Overall));
    let found = results.index.periods[at].areas[area].overall;
    let (blocks, indicators) = area_rows(&results, at, area);
    let points = |what: &What| {
        let points = (0..results.index.periods.len()).map(|p| Point::new(&results, p, area, what));
        serde_json::to_value(points.collect::<Vec<_>>()).unwrap_or_default()
    };
    let mut series = serde_json::Map::new();
    series.insert("overall".into(), points(&What::Overall));
    for (b, block) in results.catalogue.blocks.iter().enumerate() {
        series.insert(block.id.to_string(), points(&What::Block(b)));
    }
    let name = &results.areas[area];
    Ok(Json(AreaBody {
        head: head(&app, &results),
        period: results.index.periods[at].period.to_string(),
        periods: results.period_names(),
        area: code,
        name: (&name.name).into(),
        schematic: name.schematic,
        centre: name.centre,
        overall: ScoreView::new(found, places[area], Some(results.trend(at, area, &What::Overall))),
        blocks,
        indicators,
        series,
    }))
}

/// The index of a period as a workbook that states its method.
#[utoipa::path(get, path = "/api/v1/tension/export.xlsx", tag = "tension", params(ExportQuery),
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (status = 404), (status = 503)))]
pub(super) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let results = results(&app)?;
    let at = place(&results, query.period.as_deref())?;
    let language = query.language.unwrap_or_else(|| app.config.hub.language.clone());
    if !["kk", "ru", "en"].contains(&language.as_str()) {
        return Err(ApiError::invalid("language is kk, ru or en"));
    }
    let period = results.index.periods[at].period;
    let what = format!("method {}, {language}", results.method.method.version);
    app.audit_by(&session, "tension.export", &format!("tension/{period}"), Some(&what)).await?;
    let work = tokio::task::spawn_blocking(move || xlsx(&results, at, &language)).await;
    let failed = || ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The workbook could not be written.");
    let bytes = work.map_err(|_| failed())?.map_err(|error| {
        tracing::error!(%error, "the index could not be exported");
        failed()
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"index-{period}.xlsx\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
