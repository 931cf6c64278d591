//! MQTT 3.1.1 for bench programs: what a device says and hears, and nothing that costs more than that. Thousands of these
//! share the machine with the hub they measure.
//!
//! What does not belong here: reconnecting, and judging what a broker does (`ingest/tests` does that).

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What came from the broker.
#[derive(Debug)]
pub enum Packet {
    /// A message; QoS 1 when it has an id, and then to be acknowledged.
    Publish {
        /// Packet id.
        id: Option<u16>,
        /// Payload.
        payload: Vec<u8>,
    },
    /// A message of ours has arrived.
    PubAck(u16),
    /// A subscription was taken.
    SubAck,
    /// Anything else.
    Other,
}

/// One connection.
pub struct Lite {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Lite {
    /// Logs in; the client id is the user name.
    pub async fn connect(addr: SocketAddr, user: &str, password: &str, keep_alive_s: u16) -> io::Result<Self> {
        Self::connect_as(addr, user, user, password, keep_alive_s).await
    }

    /// The same with a client id of its own.
    pub async fn connect_as(addr: SocketAddr, client_id: &str, user: &str, password: &str, keep_alive_s: u16) -> io::Result<Self> {
        let mut stream = timeout(PATIENCE, TcpStream::connect(addr)).await??;
        stream.set_nodelay(true)?;
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 0xC2];
        body.extend(keep_alive_s.to_be_bytes());
        for text in [client_id, user, password] {
            put_text(&mut body, text);
        }
        stream.write_all(&packet(0x10, &body)).await?;
        let mut answer = [0; 4];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await??;
        if answer != [0x20, 2, 0, 0] {
            return Err(io::Error::other(format!("{user}: CONNACK {answer:?}")));
        }
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Subscribes at QoS 1.
    pub async fn subscribe(&mut self, filter: &str) -> io::Result<()> {
        let mut body = vec![0, 1];
        put_text(&mut body, filter);
        body.push(1);
        self.send(&packet(0x82, &body)).await?;
        loop {
            if let Packet::SubAck = timeout(PATIENCE, self.next()).await?? {
                return Ok(());
            }
        }
    }

    /// Sends packets as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next packet. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> io::Result<Packet> {
        loop {
            if let Some((kind, header, end)) = whole(&self.buffer) {
                let packet = read(kind, &self.buffer[header..end]);
                self.buffer.drain(..end);
                return Ok(packet);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A PUBLISH; QoS 1 with an id, else QoS 0.
pub fn publish(topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 4);
    put_text(&mut body, topic);
    body.extend(id.into_iter().flat_map(u16::to_be_bytes));
    body.extend(payload);
    packet(if id.is_some() { 0x32 } else { 0x30 }, &body)
}

/// A PUBACK.
pub fn puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// A PINGREQ.
pub const PING: [u8; 2] = [0xC0, 0];

/// First byte, length of the header and end of the first packet, when it is whole.
fn whole(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let kind = *bytes.first()?;
    let (mut length, mut at) = (0_usize, 1);
    loop {
        let byte = *bytes.get(at)?;
        length |= usize::from(byte & 0x7F) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 || at > 4 {
            break;
        }
    }
    (bytes.len() >= at + length).then_some((kind, at, at + length))
}

fn read(kind: u8, body: &[u8]) -> Packet {
    let id = |at: usize| body.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    match kind >> 4 {
        3 => {
            let topic_end = 2 + usize::from(id(0));
            let has_id = kind & 0x06 != 0;
            let payload = body.get(topic_end + if has_id { 2 } else { 0 }..).unwrap_or_default().to_vec();
            Packet::Publish { id: has_id.then(|| id(topic_end)), payload }
        }
        4 => Packet::PubAck(id(0)),
        9 => Packet::SubAck,
        _ => Packet::Other,
    }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 5);
    out.push(kind);
    let mut length = body.len();
    loop {
        let low = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.extend((text.len() as u16).to_be_bytes());
    body.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_cut_where_they_end() {
        let mut bytes = publish("a/b", Some(7), &[b'x'; 300]);
        let first = bytes.len();
        assert_eq!(whole(&bytes[..first - 1]), None);
        bytes.extend(puback(9));
        let (kind, header, end) = whole(&bytes).unwrap();
        assert_eq!(end, first);
        assert!(matches!(read(kind, &bytes[header..end]), Packet::Publish { id: Some(7), payload } if payload == [b'x'; 300]));
        let (kind, header, end) = whole(&bytes[first..]).unwrap();
        assert!(matches!(read(kind, &bytes[first + header..first + end]), Packet::PubAck(9)));
    }
}
