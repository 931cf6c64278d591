//! WS-Discovery: who is there on the local networks.

use std::time::Duration;

use url::Url;

/// Most devices that are listed; a class C network has 254.
const MAX_FOUND: usize = 1_000;

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// Where to ask it: its device service.
    pub address: Url,
    /// Its name, if it says one.
    pub name: Option<String>,
    /// Its model, if it says one.
    pub hardware: Option<String>,
    /// Identifies it however its address changes.
    pub endpoint: String,
}

/// Asks every local network by multicast and listens for so long. Each device once, in the order of their addresses.
///
/// # Errors
/// When no question could be sent.
pub async fn discover(wait: Duration) -> std::io::Result<Vec<Found>> {
    // Answers come from anybody. `oxvif` frees what it read with recursion, one level for every three bytes of a datagram:
    // a stack of its own holds the deepest that 64 KB can say.
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("discovery".into()).stack_size(64 << 20).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = sender.send(runtime.and_then(|runtime| runtime.block_on(oxvif::probe_result(wait))));
    })?;
    let devices = answer.await.map_err(|_| std::io::Error::other("the search broke"))??;
    let mut found: Vec<Found> = devices.into_iter().take(MAX_FOUND).filter_map(found).collect();
    found.sort_by(|a, b| a.address.cmp(&b.address));
    found.dedup_by(|a, b| a.address == b.address);
    Ok(found)
}

fn found(device: oxvif::DiscoveredDevice) -> Option<Found> {
    let addresses = device.xaddrs.iter().filter_map(|address| Url::parse(address).ok());
    let mut addresses: Vec<Url> = addresses.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).collect();
    // A link-local address leads nowhere but on its own cable; IPv4 is what cameras are configured by.
    addresses.sort_by_key(|url| match url.host() {
        Some(url::Host::Ipv4(ip)) => u8::from(ip.is_link_local()),
        Some(url::Host::Domain(_)) => 2,
        _ => 3,
    });
    let scope = |key: &str| {
        let value = device.scopes.iter().find_map(|scope| scope.strip_prefix(&format!("onvif://www.onvif.org/{key}/")))?;
        let value: String = percent_decoded(value).chars().filter(|c| !c.is_control()).take(80).collect();
        (!value.is_empty()).then_some(value)
    };
    let (name, hardware) = (scope("name"), scope("hardware"));
    let endpoint = device.endpoint.chars().filter(|c| !c.is_control()).take(120).collect();
    Some(Found { address: addresses.into_iter().next()?, name, hardware, endpoint })
}

fn percent_decoded(text: &str) -> String {
    // A query pair is decoded by the crate that knows how; plus signs stay as they are.
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_listed_by_its_best_address_and_its_decoded_name() {
        let device = oxvif::DiscoveredDevice {
            endpoint: "urn:uuid:1\r\n".into(),
            types: vec![],
            scopes: vec!["onvif://www.onvif.org/name/Yard%20%D0%94%D0%B2%D0%BE%D1%80+1".into(), "onvif://www.onvif.org/hardware/".into()],
            xaddrs: ["ftp://10.0.0.7/", "http://[fe80::1]/onvif", "http://169.254.3.4/onvif", "http://10.0.0.7/onvif/device_service"]
                .map(String::from)
                .to_vec(),
        };
        let found = found(device.clone()).unwrap();
        assert_eq!(found.address.as_str(), "http://10.0.0.7/onvif/device_service");
        assert_eq!((found.name.as_deref(), found.hardware, found.endpoint.as_str()), (Some("Yard Двор+1"), None, "urn:uuid:1"));
        assert!(super::found(oxvif::DiscoveredDevice { xaddrs: vec!["nonsense".into()], ..device }).is_none());
    }
}
