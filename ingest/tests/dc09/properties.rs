//! No bytes make the readers panic; what is written is read back.

use proptest::prelude::*;
use qorgan_domain::UtcMs;
use qorgan_ingest::dc09::{
    Key,
    event::{contact_id, sia},
    frame::{Body, Content, CrcForm, Frame, Id, Stamp, crc16},
    stream::{Cut, Splitter},
};

fn text(alphabet: &'static str, size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(proptest::sample::select(alphabet.as_bytes().to_vec()), size)
}

const INSIDE: &str = "|/#^*.- 0123456789abcdefABCDEFNPHORrit\"_,:\u{e9}";

fn content() -> impl Strategy<Value = Content> {
    let data = prop_oneof![
        Just(Vec::new()),
        (text("0123456789ABCDEF", 1..17), text(INSIDE, 0..200))
            .prop_map(|(account, events)| [b"#".as_slice(), &account, b"|", &events].concat()),
        text(INSIDE, 0..200).prop_map(|events| [b"|".as_slice(), &events].concat()),
    ];
    let stamp = prop_oneof![Just(Stamp::Absent), (0_i64..253_402_300_799).prop_map(|s| Stamp::At(UtcMs(s * 1_000)))];
    (data, proptest::collection::vec(text(INSIDE, 0..40), 0..4), stamp).prop_map(|(data, extended, stamp)| Content {
        data,
        extended,
        stamp,
    })
}

fn some(alphabet: &'static str, size: std::ops::Range<usize>) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text(alphabet, size).prop_map(|bytes| String::from_utf8(bytes).unwrap()))
}

fn frame() -> impl Strategy<Value = Frame> {
    let id = proptest::sample::select(vec![Id::SiaDcs, Id::AdmCid, Id::Null, Id::Ack, Id::Duh, Id::Other("ADM-41E".into())]);
    let body = prop_oneof![
        content().prop_map(Body::Clear),
        (1_usize..40, any::<u8>()).prop_map(|(blocks, byte)| Body::Cipher(vec![byte; blocks * 16])),
    ];
    let crc = proptest::sample::select(vec![CrcForm::Hex, CrcForm::Raw]);
    (id, 0_u16..10_000, some("0123456789ABCDEF", 1..7), some("0123456789ABCDEF", 1..7), some("0123456789ABCDEFXYZ", 1..17), body, crc)
        .prop_map(|(id, seq, receiver, line, account, body, crc)| Frame { id, seq, receiver, line, account, body, crc })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(frame in frame()) {
        let bytes = frame.write();
        prop_assert_eq!(Frame::read(&bytes).unwrap(), frame);
        let mut splitter = Splitter::default();
        splitter.push(&bytes);
        prop_assert_eq!(splitter.cut(), Some(Cut::Frame(bytes)));
        prop_assert!(!splitter.is_amid());
    }

    #[test]
    fn any_bytes_are_a_frame_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let _ = Frame::read(&bytes);
        let _ = sia(&bytes);
        let _ = contact_id(&bytes);
        let mut splitter = Splitter::default();
        for piece in bytes.chunks(700) {
            splitter.push(piece);
            while let Some(Cut::Frame(frame)) = splitter.cut() {
                let _ = Frame::read(&frame);
            }
        }
    }

    #[test]
    fn any_body_with_the_right_crc_is_a_frame_or_a_reason(body in "\"[*A-Z-]{0,9}\"[0-9RL#A-F]{0,20}\\[?[ -~]{0,60}") {
        let bytes = format!("\n{:04X}{:04X}{body}\r", crc16(body.as_bytes()), body.len());
        if let Ok(frame) = Frame::read(bytes.as_bytes()) {
            if let Body::Clear(content) = &frame.body {
                let (_, events) = content.split();
                let _ = sia(events);
                let _ = contact_id(events);
            }
            let _ = frame.write();
        }
    }

    #[test]
    fn a_changed_byte_never_makes_another_frame(frame in frame(), at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut bytes = frame.write();
        let at = at.index(bytes.len());
        // The digits of a CRC may be written in either case.
        prop_assume!(!bytes[at].eq_ignore_ascii_case(&to));
        bytes[at] = to;
        if let Ok(read) = Frame::read(&bytes) {
            prop_assert_eq!(read, frame);
        }
    }

    #[test]
    fn sealed_content_opens(content in content(), key in "[ -~]{16}|[ -~]{24}") {
        prop_assume!(!key.starts_with("hex:") && !key.starts_with("text:"));
        let key: Key = key.parse().unwrap();
        prop_assert_eq!(key.open(&key.seal(&content)).unwrap(), content);
    }

    #[test]
    fn any_cipher_opens_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key: Key = "0123456789ABCDEF".parse().unwrap();
        let _ = key.open(&bytes);
    }
}
