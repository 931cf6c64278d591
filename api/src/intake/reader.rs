//! RSS and Atom to what is counted: a date and whatever the lexicon finds. Titles, links and texts end here.
//!
//! A document type is refused before any parser sees it, so no entity is declared, expanded or fetched; size, depth and the number of
//! items are bounded.

use std::hash::{DefaultHasher, Hash, Hasher};

use qorgan_alerts::intake::lexicon::{Found, Reader};
use qorgan_domain::UtcMs;
use quick_xml::events::Event;

/// Largest feed, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Elements in one another.
const MAX_DEPTH: usize = 64;
/// Items that are looked at, newest first as feeds have them.
const MAX_ITEMS: usize = 1_000;

/// Why a feed gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Over [`MAX_BYTES`].
    #[error("the feed is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// A document type could declare entities.
    #[error("a document type (DOCTYPE) is not allowed: entities are never expanded or fetched")]
    DocumentType,
    /// More than [`MAX_DEPTH`].
    #[error("elements lie more than {MAX_DEPTH} deep")]
    Depth,
    /// Not in the encoding that it names.
    #[error("the text is not in its encoding")]
    Encoding,
    /// No RSS and no Atom.
    #[error("no RSS or Atom: {0}")]
    Shape(String),
}

/// A publication: when it came out, and what it counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Tells it from others while the hub runs; made with a key that no disk holds.
    pub mark: u64,
    /// When it came out, if it says so.
    pub at: Option<UtcMs>,
    /// What it counts for.
    pub found: Option<Found>,
}

/// Reads a feed.
pub fn read(bytes: &[u8], lexicon: &Reader, key: u64) -> Result<Vec<Item>, FeedError> {
    if bytes.len() > MAX_BYTES {
        return Err(FeedError::TooLarge);
    }
    let text = decode(bytes)?;
    look(&text)?;
    let parser = feed_rs::parser::Builder::new().build();
    let feed = parser.parse(text.as_bytes()).map_err(|error| FeedError::Shape(error.to_string().chars().take(200).collect()))?;
    let item = |entry: feed_rs::model::Entry| {
        let title = entry.title.map(|t| t.content).unwrap_or_default();
        let summary = entry.summary.map(|t| t.content).unwrap_or_default();
        let at = entry.published.or(entry.updated).map(|at| UtcMs(at.timestamp_millis()));
        let mut hasher = DefaultHasher::new();
        (key, &entry.id, &title).hash(&mut hasher);
        Item { mark: hasher.finish(), at, found: lexicon.read(&format!("{} . {}", plain(&title), plain(&summary))) }
    };
    Ok(feed.entries.into_iter().take(MAX_ITEMS).map(item).collect())
}

/// The text in the encoding of its mark or of its declaration, without the declaration.
fn decode(bytes: &[u8]) -> Result<String, FeedError> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(200)).unwrap_or_default()).into_owned();
    let declared = head.split_once("encoding").filter(|_| head.trim_start_matches('\u{feff}').trim_start().starts_with("<?xml"));
    let label = declared.and_then(|(_, rest)| rest.split(['"', '\'']).nth(1)).unwrap_or("utf-8").to_owned();
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).ok_or(FeedError::Encoding)?;
    let (text, _, broken) = encoding.decode(bytes);
    if broken {
        return Err(FeedError::Encoding);
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let text = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest,
        None => text,
    };
    if !text.trim_start().starts_with('<') {
        return Err(FeedError::Shape("it does not begin with an element".into()));
    }
    Ok(text.to_owned())
}

fn look(text: &str) -> Result<(), FeedError> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::DocType(_)) => return Err(FeedError::DocumentType),
            Ok(Event::Start(_)) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FeedError::Depth);
                }
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(FeedError::Shape(error.to_string().chars().take(200).collect())),
        }
    }
}

/// A text without its marks: tags go, and with scripts and styles what is in them.
fn plain(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let (mut out, mut at) = (String::with_capacity(html.len()), 0);
    while let Some(tag) = lower[at..].find('<') {
        out.push_str(&html[at..at + tag]);
        out.push(' ');
        let rest = &lower[at + tag..];
        let hidden = ["<script", "<style"].into_iter().find(|name| rest.starts_with(name));
        let close = match hidden {
            Some(name) => rest.find(&name.replace('<', "</")).and_then(|end| rest[end..].find('>').map(|close| end + close)),
            None => rest.find('>'),
        };
        match close {
            Some(close) => at += tag + close + 1,
            None => return out,
        }
    }
    out.push_str(&html[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Reader {
        Reader::new(toml::from_str(include_str!("../../../configs/lexicon.toml")).unwrap()).unwrap()
    }
    fn rss(items: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>t</title><link>https://example.kz</link><description>d</description>{items}</channel></rss>"
        )
    }
    fn read_text(text: &str) -> Result<Vec<Item>, FeedError> {
        read(text.as_bytes(), &lexicon(), 7)
    }
    fn said(items: &[Item]) -> Vec<(Option<String>, Option<String>)> {
        items.iter().map(|i| (i.at.map(|at| at.to_string()), i.found.as_ref().map(|f| format!("{} {}", f.topic, f.areas.len())))).collect()
    }

    #[test]
    fn rss_and_atom_are_read_and_only_a_date_and_a_topic_remain() {
        let text =
            rss("<item><guid>1</guid><title>В Таразе отключили отопление</title><link>https://example.kz/1</link><author>a@b.kz</author>\
             <pubDate>Mon, 05 Oct 2026 09:00:00 +0500</pubDate></item>\
             <item><guid>2</guid><title>Қордайда су құбыры жөнделді</title><pubDate>Tue, 06 Oct 2026 09:00:00 +0500</pubDate></item>");
        let items = read_text(&text).unwrap();
        assert_eq!(said(&items)[0], (Some("2026-10-05T04:00:00.000Z".into()), Some("heat 1".into())));
        assert_eq!(said(&items)[1].1.as_deref(), Some("water 1"));
        let kept = format!("{items:?}");
        assert!(!kept.contains("example.kz") && !kept.contains("a@b.kz") && !kept.contains("отопление"), "{kept}");
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title><id>f</id><updated>2026-10-05T09:00:00Z</updated>\
                    <entry><title>Шу ауданында мектеп салынды</title><id>e</id><updated>2026-10-05T09:00:00Z</updated></entry></feed>";
        assert_eq!(said(&read_text(atom).unwrap())[0].1.as_deref(), Some("schools 1"));
    }

    #[test]
    fn entities_and_document_types_never_reach_a_parser() {
        let bomb = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><rss><channel><title>&b;</title></channel></rss>";
        let file = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss><channel><item><title>&x;</title></item></channel></rss>";
        for text in [bomb, file] {
            assert_eq!(read_text(text), Err(FeedError::DocumentType));
        }
        assert_eq!(read_text(&format!("<rss>{}", "<a>".repeat(100))), Err(FeedError::Depth));
        assert_eq!(read(&vec![b'<'; MAX_BYTES + 1], &lexicon(), 7), Err(FeedError::TooLarge));
        for text in ["", "hello", "{\"version\":\"https://jsonfeed.org/version/1\"}", "<html><body>404</body></html>", "<rss><chan"] {
            assert!(matches!(read_text(text), Err(FeedError::Shape(_))), "{text}");
        }
    }

    #[test]
    fn scripts_and_tags_count_for_nothing() {
        let text = rss(
            "<item><guid>1</guid><title>Новости</title><description><![CDATA[<script>var x = 'Тараз отопление'</script><style>.тараз{}</style><p>ничего</p>]]></description></item>\
             <item><guid>2</guid><title>Жаңалық</title><description><![CDATA[<p>Тараз<b>да</b></p> <img src=x onerror=alert(1)> жылу]]></description></item>",
        );
        let items = read_text(&text).unwrap();
        assert_eq!(items[0].found, None);
        assert_eq!(plain("a<script>b</script>c<STYLE>d</style >e<br/>f < g"), "a c e f  ");
    }

    #[test]
    fn wrong_dates_leave_no_date_and_other_encodings_are_read() {
        let text = rss("<item><guid>1</guid><title>Тараз: тепло</title><pubDate>yesterday</pubDate></item>");
        assert_eq!(said(&read_text(&text).unwrap())[0], (None, Some("heat 1".into())));
        let declared = rss("<item><guid>1</guid><title>Тараз: тепло</title></item>").replace("UTF-8", "windows-1251");
        let bytes = encoding_rs::WINDOWS_1251.encode(&declared).0.into_owned();
        assert_eq!(said(&read(&bytes, &lexicon(), 7).unwrap())[0].1.as_deref(), Some("heat 1"));
        let lying = declared.replace("windows-1251", "utf-8");
        let bytes = encoding_rs::WINDOWS_1251.encode(&lying).0.into_owned();
        assert_eq!(read(&bytes, &lexicon(), 7), Err(FeedError::Encoding));
    }
}
