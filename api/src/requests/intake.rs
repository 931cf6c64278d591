//! One judgement for every door (page, desk, Open311): what was submitted becomes a request that can be stored, or a complaint.
//!
//! Texts are cleaned and masked before anything is kept; the contact is sealed and bound to the reference; the same key submitted
//! again is the same request.

use std::collections::BTreeMap;

use qorgan_alerts::{
    requests::{Masked, Reference, Standing, clean, mask},
    store::{AddedRequest, Channel, NewRequest, Request},
};
use qorgan_domain::{AreaCode, GeoPoint, Trilingual, UtcMs};
use rand::Rng;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::settings::{Attribute, Category, Datatype};
use crate::{error::ApiError, hub::App};

/// Fewest characters of a text.
pub const TEXT_MIN: usize = 10;
/// Most characters of a text.
pub const TEXT_MAX: usize = 4_000;
/// Most characters of a place in words.
pub const PLACE_MAX: usize = 200;
/// Most characters of one answer to a question of the category.
const ANSWER_MAX: usize = 300;

/// How to reach whoever filed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    pub name: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// What was submitted.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Category.
    pub category: String,
    /// What it is about.
    pub text: String,
    /// Where: `[lat, lon]`.
    pub position: [f64; 2],
    /// House or landmark.
    pub place: Option<String>,
    /// `kk`, `ru` or `en`.
    pub language: String,
    /// How to reach whoever filed it.
    pub contact: Option<Contact>,
    /// Answers to the category's questions, by code.
    pub attributes: Vec<(String, String)>,
    /// Key that makes the same submission the same request.
    pub key: Option<String>,
    /// Door.
    pub channel: Channel,
    /// Account, or none for a resident.
    pub by: Option<(String, String)>,
}

/// Why a submission is not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Complaint {
    /// A field that does not fit.
    Field(&'static str, String),
    /// No such category.
    Category(String),
    /// Outside every district and not near one.
    Outside(Option<(AreaCode, Trilingual, f64)>),
    /// The key stands for something else.
    Conflict,
    /// The hub could not.
    Broken(&'static str),
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Complaint::Field(field, message) => write!(f, "{field}: {message}"),
            Complaint::Category(id) => write!(f, "there is no category \"{}\"", id.chars().take(80).collect::<String>()),
            Complaint::Outside(Some((_, name, metres))) => {
                write!(f, "the place lies outside every district; {} is {:.1} km away", name.en, metres / 1_000.0)
            }
            Complaint::Outside(None) => f.write_str("the place lies outside every district"),
            Complaint::Conflict => f.write_str("another request was submitted with this key"),
            Complaint::Broken(what) => write!(f, "{what}; nothing was stored"),
        }
    }
}

impl From<Complaint> for ApiError {
    fn from(complaint: Complaint) -> Self {
        use axum::http::StatusCode;
        let message = complaint.to_string();
        match complaint {
            Complaint::Field(field, _) => ApiError::invalid(message).with("field", field),
            Complaint::Category(_) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_category", message),
            Complaint::Outside(nearest) => {
                let nearest =
                    nearest.map(|(area, name, metres)| serde_json::json!({ "area": area, "name": name, "distance_m": metres.round() }));
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "outside_areas", message).with("nearest", nearest.unwrap_or_default())
            }
            Complaint::Conflict => ApiError::new(StatusCode::CONFLICT, "idempotency_conflict", message),
            Complaint::Broken(_) => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message),
        }
    }
}

/// What became of a submission.
pub struct Taken {
    /// The request.
    pub request: Request,
    /// The same submission had come before.
    pub replayed: bool,
}

/// Judges a submission and stores it.
pub async fn take(app: &App, submission: Submission) -> Result<Taken, ApiError> {
    // Fifteen random digits: that they are taken happens once in many millions; then the next ones serve.
    for _ in 0..3 {
        let new = judge(app, &submission, Reference::from_random(rand::rng().random()), app.clock.utc())?;
        if app.store.request_by_reference(&new.reference).await?.is_some() {
            continue;
        }
        let taken = match app.store.add_request(&new).await? {
            AddedRequest::New(request) => Taken { request: *request, replayed: false },
            AddedRequest::Known(request) => Taken { request: *request, replayed: true },
            AddedRequest::Conflict => return Err(Complaint::Conflict.into()),
        };
        if !taken.replayed {
            metrics::counter!("qorgan_requests_total", "channel" => new.channel.as_str()).increment(1);
        }
        return Ok(taken);
    }
    Err(Complaint::Broken("no free reference was found").into())
}

/// Judges a submission; nothing is stored.
pub fn judge(app: &App, submission: &Submission, reference: Reference, now: UtcMs) -> Result<NewRequest, Complaint> {
    let requests = &app.requests;
    let settings = &requests.settings;
    let category = settings.category(&submission.category).ok_or_else(|| Complaint::Category(submission.category.clone()))?;
    if !["kk", "ru", "en"].contains(&submission.language.as_str()) {
        return Err(Complaint::Field("language", "kk, ru or en".into()));
    }
    let (text, mut masked) = text("text", &submission.text, TEXT_MIN, TEXT_MAX)?;
    let place = match submission.place.as_deref().map(str::trim).filter(|place| !place.is_empty()) {
        Some(place) => {
            let (place, more) = self::text("place", place, 1, PLACE_MAX)?;
            masked.extend(more);
            Some(place)
        }
        None => None,
    };
    let [lat, lon] = submission.position;
    let position = GeoPoint::new(lat, lon).map_err(|e| Complaint::Field("position", e.to_string()))?;
    let area = locate(app, position)?.0;
    let (attributes, more) = attributes(category, &submission.attributes)?;
    masked.extend(more);
    masked.sort_unstable();
    masked.dedup();
    let contact = match submission.contact.clone().map(contact).transpose()?.flatten() {
        Some(contact) => {
            let expires_at = UtcMs(now.0 + i64::from(settings.contact_days) * 86_400_000);
            let json = serde_json::to_vec(&contact).map_err(|_| Complaint::Broken("the contact could not be written"))?;
            let sealed = app.seal.close_secret(&bound_to(&reference), &json).ok_or(Complaint::Broken("the contact could not be sealed"))?;
            Some((sealed, expires_at))
        }
        None => None,
    };
    let once = submission.key.as_deref().map(|key| once(app, submission, key)).transpose()?;
    let (who, role) = match &submission.by {
        Some((who, role)) => (who.clone(), Some(role.clone())),
        None => ("resident".into(), None),
    };
    Ok(NewRequest {
        standing: Standing::new(&category.id, &category.service, &settings.terms(category), &requests.calendar, now),
        reference,
        area,
        position,
        place,
        text,
        masked,
        attributes,
        channel: submission.channel,
        language: submission.language.clone(),
        received_at: now,
        day: requests.day_number(now),
        once,
        contact,
        who,
        role,
        demo: false,
    })
}

/// What a contact's sealed text is bound to.
pub fn bound_to(reference: &Reference) -> String {
    format!("request/{}", reference.digits())
}

/// The district of a place, its name, whether the place lies in it, and how far off it is, in metres.
pub fn locate(app: &App, position: GeoPoint) -> Result<(AreaCode, Trilingual, bool, f64), Complaint> {
    let areas = app.areas();
    if let Some(area) = areas.at(position) {
        return Ok((area.code.clone(), area.name.clone(), true, 0.0));
    }
    match areas.nearest(position) {
        Some((area, metres)) if metres <= app.requests.settings.max_outside_m => Ok((area.code.clone(), area.name.clone(), false, metres)),
        nearest => Err(Complaint::Outside(nearest.map(|(area, metres)| (area.code.clone(), area.name.clone(), metres)))),
    }
}

/// A cleaned and masked text of so many characters.
pub fn text(field: &'static str, text: &str, least: usize, most: usize) -> Result<(String, Vec<Masked>), Complaint> {
    // Before any work: a text of a megabyte is refused, not cleaned.
    if text.len() > most * 16 {
        return Err(Complaint::Field(field, format!("at most {most} characters")));
    }
    let length = clean(text).chars().count();
    if length < least || length > most {
        return Err(Complaint::Field(field, format!("{least} to {most} characters; {length} were given")));
    }
    let (masked, kinds) = mask(text);
    if least > 1 && masked.chars().filter(|c| c.is_alphabetic()).count() < 3 {
        return Err(Complaint::Field(field, "words that say what it is about".into()));
    }
    Ok((masked, kinds))
}

/// The key of a submission, per door, and what it stands for: keyed, because a phone number alone is quickly guessed from a plain digest.
fn once(app: &App, submission: &Submission, key: &str) -> Result<(String, String), Complaint> {
    let fits = (8..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fits {
        return Err(Complaint::Field("idempotency_key", "8 to 64 of A-Z, a-z, 0-9, - and _".into()));
    }
    let what = serde_json::json!([
        submission.category,
        submission.text,
        submission.position,
        submission.place,
        submission.language,
        submission.contact,
        submission.attributes
    ]);
    Ok((format!("{}:{key}", submission.channel.as_str()), app.requests.keys.submission(&what.to_string())))
}

fn contact(contact: Contact) -> Result<Option<Contact>, Complaint> {
    let line = |field: &'static str, value: Option<String>, most: usize| {
        let value = value.map(|v| clean(&v).replace('\n', " ")).filter(|v| !v.is_empty());
        match value {
            Some(value) if value.chars().count() > most => Err(Complaint::Field(field, format!("at most {most} characters"))),
            value => Ok(value),
        }
    };
    let (name, phone, email) =
        (line("contact.name", contact.name, 100)?, line("contact.phone", contact.phone, 30)?, line("contact.email", contact.email, 200)?);
    if let Some(phone) = &phone {
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        if !(5..=15).contains(&digits) || !phone.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c)) {
            return Err(Complaint::Field("contact.phone", "5 to 15 digits; besides them only + - ( ) . and blanks".into()));
        }
    }
    if let Some(email) = &email {
        let fits = email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !email.contains(char::is_whitespace));
        if !fits {
            return Err(Complaint::Field("contact.email", "no e-mail address".into()));
        }
    }
    Ok((phone.is_some() || email.is_some()).then_some(Contact { name, phone, email }))
}

fn attributes(category: &Category, given: &[(String, String)]) -> Result<(BTreeMap<String, String>, Vec<Masked>), Complaint> {
    let (mut answers, mut masked) = (BTreeMap::<String, String>::new(), Vec::new());
    for (code, value) in given {
        let Some(attribute) = category.attributes.iter().find(|a| a.code == *code) else {
            return Err(Complaint::Field("attributes", format!("\"{}\" is not asked for", code.chars().take(80).collect::<String>())));
        };
        let (value, more) = text("attributes", value, 1, ANSWER_MAX)?;
        attribute_fits(attribute, &value)?;
        masked.extend(more);
        match answers.get_mut(code) {
            Some(all) if attribute.datatype == Datatype::MultiValueList => *all = format!("{all},{value}"),
            Some(_) => return Err(Complaint::Field("attributes", format!("\"{code}\" is answered twice"))),
            None => drop(answers.insert(code.clone(), value)),
        }
    }
    match category.attributes.iter().find(|a| a.required && !answers.contains_key(&a.code)) {
        Some(missing) => Err(Complaint::Field("attributes", format!("\"{}\" must be answered", missing.code))),
        None => Ok((answers, masked)),
    }
}

fn attribute_fits(attribute: &Attribute, value: &str) -> Result<(), Complaint> {
    let fits = match attribute.datatype {
        Datatype::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
        Datatype::Datetime => value.parse::<UtcMs>().is_ok(),
        Datatype::SingleValueList | Datatype::MultiValueList => attribute.values.iter().any(|v| v.key == value),
        Datatype::String | Datatype::Text => true,
    };
    if fits { Ok(()) } else { Err(Complaint::Field("attributes", format!("\"{}\" does not fit what is asked for", attribute.code))) }
}
