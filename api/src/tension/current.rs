//! Which method holds now. An act that comes into force or ends, or another catalogue, makes a new method: none is ever changed.

use qorgan_alerts::{
    Store,
    store::StoredMethod,
    tension::{Act, Method},
};
use qorgan_domain::{Catalogue, UtcMs};

/// Who makes methods that nobody asked for.
const SYSTEM: &str = "system/tension";

/// The method that holds, made if need be.
pub(super) async fn method(
    store: &Store,
    catalogue: &Catalogue,
    act: Option<&Act>,
    now: UtcMs,
) -> Result<StoredMethod, qorgan_alerts::Error> {
    let newest = store.tension_methods().await?.into_iter().next();
    let (wanted, reason) = match &newest {
        None => (fitted(Method::first(catalogue), catalogue, act), "the method that a hub begins with".to_owned()),
        Some(stored) => (fitted(stored.method.clone(), catalogue, act), reason(&stored.method, catalogue, act)),
    };
    match newest {
        Some(stored) if stored.method == wanted => Ok(stored),
        _ => store.add_tension_method(StoredMethod { method: wanted, reason, made_at: now, made_by: SYSTEM.into() }).await,
    }
}

fn reason(before: &Method, catalogue: &Catalogue, act: Option<&Act>) -> String {
    match (before.weight_act, act) {
        (before, Some(act)) if before != Some(act.id) => format!("weight act {} is in force until {}", act.id, act.expires_on),
        (Some(id), None) => format!("weight act {id} has ended"),
        _ => format!("catalogue {}", catalogue.version),
    }
}

/// A method brought to a catalogue and to the act in force: blocks that are zero by rule have the act's weight or none, blocks and
/// indicators that are not there any more have none, new blocks have the catalogue's.
pub(crate) fn fitted(mut method: Method, catalogue: &Catalogue, act: Option<&Act>) -> Method {
    method.block_weights.retain(|id, _| catalogue.block(id).is_some());
    method.indicator_weights.retain(|id, _| catalogue.indicator(id).is_some());
    for block in &catalogue.blocks {
        let by_act = act.filter(|act| act.block == block.id).map(|act| act.weight);
        if block.zero_by_rule {
            method.block_weights.insert(block.id.clone(), by_act.unwrap_or(0.0));
        } else {
            method.block_weights.entry(block.id.clone()).or_insert(block.weight);
        }
    }
    method.catalogue.clone_from(&catalogue.version);
    method.weight_act = act.map(|act| act.id);
    let allowed = act.map(|act| (&act.block, act.weight));
    if method.check(catalogue, allowed).is_ok() {
        return method;
    }
    // Another catalogue may leave a method without any weight: then everything begins anew.
    let first = Method { version: method.version, ..Method::first(catalogue) };
    if first == method { first } else { fitted_again(first, catalogue, act) }
}

fn fitted_again(mut method: Method, catalogue: &Catalogue, act: Option<&Act>) -> Method {
    for block in catalogue.blocks.iter().filter(|b| b.zero_by_rule) {
        let by_act = act.filter(|act| act.block == block.id).map_or(0.0, |act| act.weight);
        method.block_weights.insert(block.id.clone(), by_act);
    }
    method.weight_act = act.map(|act| act.id);
    method
}
