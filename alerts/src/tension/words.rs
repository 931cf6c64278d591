//! What is said to people about the index, in three languages.

use qorgan_domain::{Trilingual, period::PeriodKind};

use super::{
    forecast::{Forecast, Model},
    method::{Aggregation, Method, Normalisation},
};

fn say(kk: impl Into<String>, ru: impl Into<String>, en: impl Into<String>) -> Trilingual {
    Trilingual { kk: kk.into(), ru: ru.into(), en: en.into() }
}

/// What every page and export says first: the block that is zero by rule has no part in the index.
pub fn zero_weight(block: &Trilingual) -> Trilingual {
    say(
        format!("«{}» блогының салмағы 0: ол көрсетіледі, бірақ жалпы индекске кірмейді.", block.kk),
        format!("Вес блока «{}» равен 0: он показан, но в общий индекс не входит.", block.ru),
        format!("The block \"{}\" has weight 0: it is shown, but has no part in the overall index.", block.en),
    )
}

/// The same when an act gives it a weight.
pub fn weight_by_act(block: &Trilingual, weight: f64, basis: &str, until: &str) -> Trilingual {
    say(
        format!("«{}» блогының салмағы {weight}: негізі «{basis}», {until} дейін.", block.kk),
        format!("Вес блока «{}» равен {weight}: основание «{basis}», до {until}.", block.ru),
        format!("The block \"{}\" has weight {weight}: on the basis of \"{basis}\", until {until}.", block.en),
    )
}

/// Said wherever demonstration data take part.
pub fn demo() -> Trilingual {
    say(
        "Демонстрациялық деректер: мәндер ойдан алынған және нақты аудандарды сипаттамайды.",
        "Демонстрационные данные: значения вымышлены и не описывают реальные районы.",
        "Demonstration data: the values are made up and describe no real district.",
    )
}

/// How to read band, ranks and missing colours.
pub fn reading(method: &Method) -> Trilingual {
    let floor = (method.floor * 100.0).round();
    say(
        format!(
            "Жолақ есептеулердің оннан тоғызын қамтиды; жолақтары қабаттасатын аудандардың реттік орны болмайды. Деректер {floor} %-дан аз болса, түс көрсетілмейді."
        ),
        format!(
            "Полоса охватывает девять десятых расчётов; у районов с пересекающимися полосами нет порядкового места. Если данных меньше {floor} %, цвет не показывается."
        ),
        format!(
            "The band holds nine tenths of the draws; districts whose bands overlap have no order. Where fewer than {floor} % of the values are there, no colour is shown."
        ),
    )
}

/// A method in words.
pub fn method(method: &Method) -> Trilingual {
    let (normalised_kk, normalised_ru, normalised_en) = match method.normalisation {
        Normalisation::MinMax => {
            ("ең аз және ең көп мән бойынша", "по наименьшему и наибольшему значению", "by smallest and largest value")
        }
        Normalisation::ZScore => {
            ("орташа мән мен стандартты ауытқу бойынша", "по среднему и стандартному отклонению", "by mean and standard deviation")
        }
        Normalisation::Percentile => ("процентильдік орын бойынша", "по процентильному рангу", "by percentile rank"),
        Normalisation::Target => ("каталогтың тірек мәндері бойынша", "по опорным значениям каталога", "by the catalogue's references"),
    };
    let mean = |how: Aggregation| match how {
        Aggregation::Arithmetic => ("арифметикалық орташа", "среднее арифметическое", "arithmetic mean"),
        Aggregation::Geometric => ("геометриялық орташа (INFORM)", "среднее геометрическое (INFORM)", "geometric mean (INFORM)"),
    };
    let (within, across) = (mean(method.within), mean(method.across));
    let (step_kk, step_ru, step_en) = match method.step {
        PeriodKind::Month => ("ай", "месяц", "month"),
        PeriodKind::Year => ("жыл", "год", "year"),
        _ => ("тоқсан", "квартал", "quarter"),
    };
    let (draws, floor, vary) = (method.draws, (method.floor * 100.0).round(), (method.perturb.weights * 100.0).round());
    say(
        format!(
            "Көрсеткіштер 0-ден 10-ға дейін {normalised_kk} келтіріледі. Блок ішінде: {}; блоктар арасында: {}. Кезең: {step_kk}. Деректер кемінде {floor} % болуы тиіс. Белгісіздік: {draws} есептеу, салмақтар ±{vary} %.",
            within.0, across.0
        ),
        format!(
            "Показатели приведены к шкале от 0 до 10 {normalised_ru}. Внутри блока: {}; между блоками: {}. Период: {step_ru}. Данных должно быть не меньше {floor} %. Неопределённость: {draws} расчётов, веса ±{vary} %.",
            within.1, across.1
        ),
        format!(
            "Indicators are brought to a scale of 0 to 10 {normalised_en}. Within a block: {}; between blocks: {}. Period: {step_en}. At least {floor} % of the values must be there. Uncertainty: {draws} draws, weights ±{vary} %.",
            within.2, across.2
        ),
    )
}

/// A way of forecasting in words.
pub fn model(model: Model) -> Trilingual {
    match model {
        Model::LastValue => say("Соңғы мән", "Последнее значение", "Last value"),
        Model::Ets => say("Экспоненциалды тегістеу", "Экспоненциальное сглаживание", "Exponential smoothing"),
        Model::Mstl => say(
            "Маусымдылық алынған экспоненциалды тегістеу",
            "Экспоненциальное сглаживание без сезонности",
            "Exponential smoothing without season",
        ),
    }
}

/// The errors of a forecast in words: one step ahead.
pub fn past_errors(forecast: &Forecast) -> Trilingual {
    let Some(first) = forecast.errors.first() else {
        return say(
            "Бұрынғы болжамдармен салыстыруға деректер жеткіліксіз.",
            "Данных для сравнения с прошлыми прогнозами недостаточно.",
            "There are too few values to compare with past forecasts.",
        );
    };
    let held = (first.coverage * 100.0).round();
    let (n, mae, naive) = (first.n, first.mae, first.mae_last_value);
    let mut text = say(
        format!("Бұрынғы {n} болжамда орташа қате {mae:.2} болды (соңғы мән бойынша {naive:.2}); аралық нақты мәннің {held} %-ын қамтыды."),
        format!(
            "В {n} прошлых прогнозах средняя ошибка составила {mae:.2} (по последнему значению {naive:.2}); интервал содержал {held} % фактических значений."
        ),
        format!(
            "In {n} past forecasts the mean error was {mae:.2} (by the last value {naive:.2}); the interval held {held} % of what came."
        ),
    );
    if !forecast.better_than_last_value() {
        text.kk.push_str(" Болжам соңғы мәннен дәлірек емес.");
        text.ru.push_str(" Прогноз не точнее последнего значения.");
        text.en.push_str(" The forecast is no nearer than the last value.");
    }
    text
}
