//! The TLS listener: buttons that trust its certificate get in, others do not, and without TLS nobody
//! listens to the world.

use std::path::Path;

use qorgan_ingest::mqtt::{
    Error,
    button::{Button, Options},
    embedded::{Broker, Config, TlsListener},
};

use crate::support::{doors, password, soon, until};

fn certificate(dir: &Path, name: &str) -> TlsListener {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    TlsListener { addr: ([127, 0, 0, 1], 0).into(), cert, key }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_presses_over_tls_if_it_trusts_the_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, other) = (certificate(dir.path(), "ours"), certificate(dir.path(), "other"));
    let (desk, doors) = doors();
    let broker = Broker::start(Config { tls: Some(ours.clone()), ..Config::default() }, doors).await.unwrap();
    let (plain, tls) = (broker.plain_addr().unwrap(), broker.tls_addr().unwrap());
    assert!(plain.port() != 0 && tls.port() != 0 && plain != tls, "real ports are reported");

    let options = |ca: &Path| {
        let mut options = Options::new(format!("mqtts://{tls}"), "school-17/gate".parse().unwrap(), password("school-17/gate"));
        options.ca = Some(ca.to_owned());
        options
    };
    let distrusting = Button::connect(options(&other.cert)).unwrap();
    let trouble = until("the certificate is refused", || distrusting.trouble()).await;
    assert!(trouble.contains("certificate") || trouble.contains("TLS"), "{trouble}");

    let mut button = Button::connect(options(&ours.cert)).unwrap();
    soon("button connects", button.ready()).await.unwrap();
    assert_eq!(soon("receipt", button.press()).await.unwrap().key.seq, 1);
    assert_eq!(desk.stored(), 1);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_cannot_be_is_an_error_that_names_it() {
    let plain = |addr: &str| Config { plain: Some(addr.parse().unwrap()), ..Config::default() };
    let error = |config| async { Broker::start(config, doors().1).await.err().expect("must not start") };
    assert!(matches!(error(plain("0.0.0.0:0")).await, Error::PlainNotLoopback(addr) if addr.ip().is_unspecified()));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    assert!(error(plain(&addr.to_string())).await.to_string().contains(&addr.to_string()));
    assert!(matches!(error(Config { plain: None, ..Config::default() }).await, Error::NoListener));
    let missing =
        TlsListener { addr: ([127, 0, 0, 1], 0).into(), cert: "/nonexistent/cert.pem".into(), key: "/nonexistent/key.pem".into() };
    assert!(error(Config { tls: Some(missing), ..Config::default() }).await.to_string().contains("/nonexistent/cert.pem"));
}
