//! Shares, services, months and districts of a period, exact for those who read the requests anyway, rounded for everybody else.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use qorgan_alerts::{
    Error,
    requests::publish,
    store::{Load, TallyRow},
};
use qorgan_domain::{AreaCode, UtcMs};
use serde::Serialize;
use utoipa::ToSchema;

use super::{day_number, words};
use crate::{hub::App, view::Names};

/// A calendar year, quarter or month. Other ranges are not told: two that overlap could be subtracted to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// As it was written.
    pub text: String,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub to: Date,
}

impl Span {
    /// Reads `2026`, `2026-Q4` or `2026-11`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = match text.split_once('-') {
            Some((year, rest)) => (year, Some(rest)),
            None => (text, None),
        };
        if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let year: i16 = year.parse().ok()?;
        let (month, months) = match rest {
            None => (1, 12),
            Some(rest) => match rest.strip_prefix('Q') {
                Some(quarter) if quarter.len() == 1 => (quarter.parse::<i8>().ok().filter(|q| (1..=4).contains(q))? * 3 - 2, 3),
                None if rest.len() == 2 => (rest.parse::<i8>().ok()?, 1),
                _ => return None,
            },
        };
        let from = Date::new(year, month, 1).ok()?;
        let to = from.checked_add(months.months()).ok()?;
        Some(Self { text: text.into(), from, to })
    }

    /// The month that a day lies in.
    pub fn month(day: Date) -> Self {
        let text = format!("{:04}-{:02}", day.year(), day.month());
        let from = day.first_of_month();
        Self { text, from, to: from.checked_add(1.month()).unwrap_or(from) }
    }
}

/// Share of one category.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Share {
    /// Category.
    pub category: String,
    /// Requests.
    pub count: Option<u64>,
    /// Per cent of those counted.
    pub percent: Option<f64>,
}

/// How one service does.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceFigures {
    /// Service.
    pub service: String,
    /// Requests of the period.
    pub count: Option<u64>,
    /// A deadline runs now.
    pub open: Option<u64>,
    /// A deadline has passed.
    pub overdue: Option<u64>,
    /// Answered within the category's time, per cent of those answered.
    pub answered_in_time_percent: Option<f64>,
    /// Done by the promised date, per cent of those done.
    pub done_in_time_percent: Option<f64>,
    /// Hours until the first answer, on average.
    pub mean_answer_h: Option<f64>,
    /// "Not fixed", per cent of those done.
    pub reopened_percent: Option<f64>,
}

/// Requests of one month.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MonthFigures {
    /// `2026-11`
    pub month: String,
    /// Requests.
    pub count: Option<u64>,
}

/// Figures of a period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Figures {
    /// `2026`, `2026-Q4` or `2026-11`.
    pub period: String,
    /// District; none for all.
    pub area: Option<String>,
    /// Requests.
    pub total: Option<u64>,
    /// Whether counts are exact.
    pub exact: bool,
    /// By category, largest first.
    pub shares: Vec<Share>,
    /// By service.
    pub services: Vec<ServiceFigures>,
    /// By month: the twelve up to the end of the period.
    pub months: Vec<MonthFigures>,
    /// Counts that are not told.
    pub suppressed: usize,
    /// What is to be said beside the counts.
    #[schema(value_type = Names)]
    pub note: qorgan_domain::Trilingual,
}

/// How counts are told: exact, or through disclosure control. The one place where that is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// To those who may read every single request.
    Exact,
    /// To everybody else.
    Rounded,
}

impl Telling {
    /// A count.
    pub fn count(self, exact: u64) -> Option<u64> {
        match self {
            Telling::Exact => Some(exact),
            Telling::Rounded => publish::count(exact),
        }
    }

    /// A share in per cent.
    pub fn percent(self, part: u64, whole: u64) -> Option<f64> {
        match self {
            Telling::Exact => (whole > 0).then(|| publish::share(part, whole)),
            Telling::Rounded => publish::percent(part, whole),
        }
    }

    /// A mean of so many values, with one decimal.
    fn mean(self, sum: f64, of: u64) -> Option<f64> {
        (of > 0 && self.count(of).is_some()).then(|| (sum / of as f64 * 10.0).round() / 10.0)
    }
}

/// Figures of a period, of one district or all.
pub async fn figures(app: &App, span: &Span, area: Option<&AreaCode>, telling: Telling) -> Result<Figures, Error> {
    let rows = app.store.request_tally(day_number(span.from), day_number(span.to), area).await?;
    let load = app.store.request_load(area, app.clock.utc()).await?;
    let year_before = span.to.checked_sub(12.months()).unwrap_or(span.from).min(span.from);
    let year = app.store.request_tally(day_number(year_before), day_number(span.to), area).await?;
    Ok(of_rows(span, area, &rows, &load, &year, telling))
}

fn of_rows(
    span: &Span,
    area: Option<&AreaCode>,
    rows: &[TallyRow],
    load: &BTreeMap<String, Load>,
    year: &[TallyRow],
    telling: Telling,
) -> Figures {
    let mut categories = BTreeMap::<&str, u64>::new();
    let mut services = BTreeMap::<&str, TallyRow>::new();
    let mut months = BTreeMap::<i64, u64>::new();
    for row in rows {
        *categories.entry(&row.category).or_default() += row.received;
        services.entry(&row.service).and_modify(|sum| add(sum, row)).or_insert_with(|| row.clone());
    }
    for row in year {
        *months.entry(row.month).or_default() += row.received;
    }
    let total: u64 = categories.values().sum();
    let mut shares: Vec<(u64, Share)> = categories
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(category, exact)| {
            (exact, Share { category: category.into(), count: telling.count(exact), percent: telling.percent(exact, total) })
        })
        .collect();
    // By what is told, then by name: the order must not tell what the counts do not.
    shares.sort_by(|(_, a), (_, b)| b.count.cmp(&a.count).then_with(|| a.category.cmp(&b.category)));
    let none = Load::default();
    let names: Vec<&str> =
        services.keys().copied().chain(load.keys().map(String::as_str)).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let service = |id: &str| {
        let (sum, load) = (services.get(id), load.get(id).unwrap_or(&none));
        let of = |get: fn(&TallyRow) -> u64| sum.map(get).unwrap_or(0);
        ServiceFigures {
            service: id.into(),
            count: telling.count(of(|s| s.received)),
            open: telling.count(load.open),
            overdue: telling.count(load.overdue),
            answered_in_time_percent: telling.percent(of(|s| s.answered_in_time), of(|s| s.answered)),
            done_in_time_percent: telling.percent(of(|s| s.done_in_time), of(|s| s.done)),
            mean_answer_h: telling.mean(of(|s| s.answer_ms) as f64 / 3_600_000.0, of(|s| s.answered)),
            reopened_percent: telling.percent(of(|s| s.reopened), of(|s| s.done)),
        }
    };
    let services: Vec<ServiceFigures> = names.into_iter().map(service).collect();
    let month =
        |(month, exact): (i64, u64)| MonthFigures { month: format!("{:04}-{:02}", month / 100, month % 100), count: telling.count(exact) };
    let suppressed =
        shares.iter().filter(|(_, share)| share.count.is_none()).count() + services.iter().filter(|s| s.count.is_none()).count();
    Figures {
        period: span.text.clone(),
        area: area.map(ToString::to_string),
        total: telling.count(total),
        exact: telling == Telling::Exact,
        shares: shares.into_iter().map(|(_, share)| share).collect(),
        services,
        months: months.into_iter().map(month).collect(),
        suppressed,
        note: if telling == Telling::Exact { words::exact_note() } else { words::rounded_note() },
    }
}

fn add(sum: &mut TallyRow, row: &TallyRow) {
    sum.received += row.received;
    sum.answered += row.answered;
    sum.answered_in_time += row.answered_in_time;
    sum.answer_ms += row.answer_ms;
    sum.done += row.done;
    sum.done_in_time += row.done_in_time;
    sum.reopened += row.reopened;
}

/// Requests of one district, as the map shows them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HeatArea {
    /// KATO code.
    pub kato: String,
    /// Name.
    #[schema(value_type = Names)]
    pub name: qorgan_domain::Trilingual,
    /// Requests, rounded.
    pub count: Option<u64>,
    /// For each 10,000 residents, where their number is known.
    pub per_10k: Option<f64>,
    /// 0 to 4, by share of the largest; none where no count is told.
    pub shade: Option<u8>,
}

/// The map of a period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Heat {
    /// Period.
    pub period: String,
    /// Category; none for all.
    pub category: Option<String>,
    /// Every district.
    pub areas: Vec<HeatArea>,
    /// Districts whose count is not told.
    pub suppressed: usize,
    /// What counts are rounded down to.
    pub round_to: u64,
    /// What is to be said beside the counts.
    #[schema(value_type = Names)]
    pub note: qorgan_domain::Trilingual,
}

/// Requests by district, always rounded.
pub async fn heat(app: &App, span: &Span, category: Option<&str>) -> Result<Heat, Error> {
    let rows = app.store.request_tally(day_number(span.from), day_number(span.to), None).await?;
    let mut counts = BTreeMap::<String, u64>::new();
    for row in rows.iter().filter(|row| category.is_none_or(|category| category == row.category)) {
        *counts.entry(row.area.to_string()).or_default() += row.received;
    }
    let told = |kato: &str| Telling::Rounded.count(counts.get(kato).copied().unwrap_or(0));
    let areas = app.areas();
    let most = areas.iter().filter_map(|area| told(area.code.as_str())).max().unwrap_or(0);
    let area = |area: &crate::areas::Area| {
        let count = told(area.code.as_str());
        // Five shades; the largest has the darkest.
        let shade = count.map(|count| u8::try_from(count * 5 / most.max(1)).unwrap_or(4).min(4));
        HeatArea { kato: area.code.to_string(), name: area.name.clone(), count, per_10k: None, shade }
    };
    let areas: Vec<HeatArea> = areas.iter().map(area).collect();
    let suppressed = areas.iter().filter(|area| area.count.is_none()).count();
    Ok(Heat {
        period: span.text.clone(),
        category: category.map(str::to_owned),
        areas,
        suppressed,
        round_to: publish::STEP,
        note: words::rounded_note(),
    })
}

/// Day of today on the wall.
pub fn today(app: &App) -> Date {
    app.requests.calendar.day(app.clock.utc())
}

/// The moment at which a day begins.
pub fn begins(app: &App, day: Date) -> UtcMs {
    app.requests.calendar.begins(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(category: &str, received: u64) -> TallyRow {
        TallyRow {
            month: 202_611,
            area: "311000000".parse().unwrap(),
            category: category.into(),
            service: "heat".into(),
            received,
            answered: received,
            answered_in_time: received / 2,
            answer_ms: received * 7_200_000,
            done: received,
            done_in_time: received,
            reopened: 1,
        }
    }

    #[test]
    fn periods_are_calendar_ones() {
        let span = |text| Span::parse(text).map(|s| (s.from.to_string(), s.to.to_string()));
        assert_eq!(span("2026"), Some(("2026-01-01".into(), "2027-01-01".into())));
        assert_eq!(span("2026-Q4"), Some(("2026-10-01".into(), "2027-01-01".into())));
        assert_eq!(span("2026-02"), Some(("2026-02-01".into(), "2026-03-01".into())));
        for bad in ["", "26", "2026-13", "2026-Q5", "2026-Q", "2026-1", "2026-11-22", "+026", "2026-Q44", "9999999"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn whoever_may_not_read_requests_learns_of_no_small_count() {
        let span = Span::parse("2026-11").unwrap();
        let rows = [row("heating", 47), row("bus", 9), row("yard", 13)];
        let load = BTreeMap::from([("heat".to_owned(), Load { open: 23, overdue: 4 })]);
        let exact = of_rows(&span, None, &rows, &load, &rows, Telling::Exact);
        assert_eq!((exact.total, exact.shares[0].percent, exact.services[0].overdue), (Some(69), Some(68.1), Some(4)));
        let told = of_rows(&span, None, &rows, &load, &rows, Telling::Rounded);
        assert_eq!((told.total, told.suppressed), (Some(60), 1));
        assert_eq!(told.shares.iter().map(|s| s.count).collect::<Vec<_>>(), [Some(40), Some(10), None]);
        assert_eq!((told.services[0].open, told.services[0].overdue, told.services[0].reopened_percent), (Some(20), None, None));
        assert_eq!(told.services[0].mean_answer_h, Some(2.0));
        assert_eq!(told.months[0].count, Some(60));
    }
}
