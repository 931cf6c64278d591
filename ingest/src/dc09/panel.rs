//! An alarm panel for tests, fault programs and the command line: sends an event and repeats it until the ACK is there.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use qorgan_domain::{Clock, SystemClock, UtcMs};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

use super::{
    Key,
    frame::{Body, Content, Frame, Id, MAX_SEQ, Stamp},
    stream::{Cut, Splitter},
};

/// TCP or UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A connection that stays.
    Tcp,
    /// A datagram for each frame.
    Udp,
}

/// How a panel reports.
#[derive(Clone)]
pub struct Options {
    /// The receiver.
    pub address: SocketAddr,
    /// TCP or UDP.
    pub transport: Transport,
    /// Account.
    pub account: String,
    /// Receiver number, if it sends one.
    pub receiver: Option<String>,
    /// Line number, if it sends one.
    pub line: Option<String>,
    /// With a key everything is encrypted.
    pub key: Option<Key>,
    /// Put the time into frames in clear too; encrypted ones always carry it.
    pub stamped: bool,
    /// Number of the first message, 1 to 9999.
    pub first_seq: u16,
    /// How long an answer is waited for before the frame is sent again.
    pub patience: Duration,
    /// How often a frame is sent at most.
    pub tries: u32,
    /// The panel's clock.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// A panel over TCP, in clear, that tries three times for five seconds.
    pub fn new(address: SocketAddr, account: &str) -> Self {
        Self {
            address,
            transport: Transport::Tcp,
            account: account.to_owned(),
            receiver: None,
            line: Some("0".into()),
            key: None,
            stamped: false,
            first_seq: 1,
            patience: Duration::from_secs(5),
            tries: 3,
            clock: Arc::new(SystemClock),
        }
    }
}

/// The receiver has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acked {
    /// Number of the message.
    pub seq: u16,
    /// From the first sending to the ACK.
    pub after: Duration,
    /// How often it was sent.
    pub tries: u32,
}

/// Why a message is not known to have arrived.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// No connection, or it broke, at every try.
    #[error("the receiver at {0} is not reached")]
    Link(SocketAddr, #[source] std::io::Error),
    /// No answer, at every try.
    #[error("the receiver does not answer")]
    NoAnswer,
    /// NAK at every try; the time that it carried.
    #[error("the receiver answers NAK")]
    Nak(Option<UtcMs>),
    /// DUH: trying again is of no use.
    #[error("the receiver answers DUH: it cannot do anything with this account or message")]
    Duh,
}

enum Link {
    Tcp(TcpStream, Splitter),
    Udp(UdpSocket),
}

/// A panel.
pub struct PanelClient {
    options: Options,
    seq: u16,
    link: Option<Link>,
}

impl PanelClient {
    /// A panel that connects when it has something to send.
    pub fn new(options: Options) -> Self {
        let seq = options.first_seq.clamp(1, MAX_SEQ);
        Self { options, seq, link: None }
    }

    /// Number of the next message.
    pub fn next_seq(&self) -> u16 {
        self.seq
    }

    /// Polls: a sign of life, nothing else.
    pub async fn poll(&mut self) -> Result<Acked, PanelError> {
        self.send(Id::Null, "").await
    }

    /// Sends SIA events such as `Nri1/PA005`, or Contact ID such as `1120 01 005`, and waits for the ACK.
    /// The number is used up only by an answer: what was not acknowledged is the same message when it is sent again.
    pub async fn send(&mut self, id: Id, events: &str) -> Result<Acked, PanelError> {
        let (seq, began) = (self.seq, Instant::now());
        let mut failed = PanelError::NoAnswer;
        for tries in 1..=self.options.tries.max(1) {
            let frame = self.frame(id.clone(), seq, events);
            match self.ask(&frame, seq).await {
                Ok(answer) => match answer.id {
                    Id::Ack => {
                        self.seq = if seq == MAX_SEQ { 1 } else { seq + 1 };
                        return Ok(Acked { seq, after: began.elapsed(), tries });
                    }
                    Id::Nak => failed = PanelError::Nak(self.content(&answer).and_then(|content| content.stamp.at())),
                    _ => {
                        self.seq = if seq == MAX_SEQ { 1 } else { seq + 1 };
                        return Err(PanelError::Duh);
                    }
                },
                Err(Some(error)) => {
                    self.link = None;
                    failed = PanelError::Link(self.options.address, error);
                    let left = self.options.patience / 10;
                    tokio::time::sleep(left).await;
                }
                Err(None) => {
                    // An answer that comes later must not be taken for that of another message.
                    self.link = None;
                    failed = PanelError::NoAnswer;
                }
            }
        }
        Err(failed)
    }

    /// The frame that would be sent now.
    pub fn frame(&self, id: Id, seq: u16, events: &str) -> Frame {
        let options = &self.options;
        let data = if events.is_empty() { Vec::new() } else { format!("#{}|{events}", options.account).into_bytes() };
        let stamp = if options.stamped || options.key.is_some() { Stamp::of(options.clock.utc()) } else { Stamp::Absent };
        let content = Content { data, extended: Vec::new(), stamp };
        let mut frame = Frame::clear(id, seq, Some(&options.account), content);
        (frame.receiver, frame.line) = (options.receiver.clone(), options.line.clone());
        if let (Some(key), Body::Clear(content)) = (&options.key, &frame.body) {
            frame.body = Body::Cipher(key.seal(content));
        }
        frame
    }

    fn content(&self, answer: &Frame) -> Option<Content> {
        match (&answer.body, &self.options.key) {
            (Body::Clear(content), _) => Some(content.clone()),
            (Body::Cipher(cipher), Some(key)) => key.open(cipher).ok(),
            (Body::Cipher(_), None) => None,
        }
    }

    /// Sends a frame and waits for the answer to it. `None`: there was none.
    async fn ask(&mut self, frame: &Frame, seq: u16) -> Result<Frame, Option<std::io::Error>> {
        let patience = self.options.patience;
        tokio::time::timeout(patience, self.exchange(frame, seq)).await.map_err(|_| None)?.map_err(Some)
    }

    async fn exchange(&mut self, frame: &Frame, seq: u16) -> Result<Frame, std::io::Error> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect().await?,
        };
        let bytes = frame.write();
        match &mut link {
            Link::Tcp(stream, _) => stream.write_all(&bytes).await?,
            Link::Udp(socket) => drop(socket.send(&bytes).await?),
        }
        loop {
            let answer = link.next().await?;
            let Ok(answer) = Frame::read(&answer) else { continue };
            // An encrypted panel believes an ACK only if its key opens it.
            let genuine = self.options.key.is_none() || answer.id != Id::Ack || matches!(answer.body, Body::Cipher(_));
            let ours = answer.id == Id::Nak || (answer.id.is_reply() && answer.seq == seq);
            if ours && genuine && self.content(&answer).is_some() {
                self.link = Some(link);
                return Ok(answer);
            }
        }
    }

    async fn connect(&self) -> Result<Link, std::io::Error> {
        let address = self.options.address;
        Ok(match self.options.transport {
            Transport::Tcp => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Link::Tcp(stream, Splitter::default())
            }
            Transport::Udp => {
                let any: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
                let socket = UdpSocket::bind(any).await?;
                socket.connect(address).await?;
                Link::Udp(socket)
            }
        })
    }
}

impl Link {
    /// The next frame from the receiver.
    async fn next(&mut self) -> Result<Vec<u8>, std::io::Error> {
        let mut buffer = [0; 2_048];
        match self {
            Link::Udp(socket) => {
                let length = socket.recv(&mut buffer).await?;
                Ok(buffer[..length].to_vec())
            }
            Link::Tcp(stream, splitter) => loop {
                match splitter.cut() {
                    Some(Cut::Frame(frame)) => return Ok(frame),
                    Some(Cut::TooLong) => return Err(std::io::ErrorKind::InvalidData.into()),
                    None => {}
                }
                match stream.read(&mut buffer).await? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    length => splitter.push(&buffer[..length]),
                }
            },
        }
    }
}
