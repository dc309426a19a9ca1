//! One sender on one connection.

use std::io;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LARGEST_MESSAGE;
use super::command::Command;
use super::content::{Content, Ended};
use super::demand::{Demand, Mechanism};
use super::session::{Next, Session, Trust};
use crate::catcher::NotKept;
use crate::kept::Envelope;
use crate::{Catcher, Fault};

/// How long a sender may take over one command [RFC 5321 4.5.3.2.7].
const COMMAND: Duration = Duration::from_mins(5);
/// How long a sender may take over a whole message.
const MESSAGE: Duration = Duration::from_mins(10);
/// How long a sender may take to read a reply.
const REPLY: Duration = Duration::from_mins(1);
/// The longest command line, its end included: twice what every server must take [RFC 5321 4.5.3.1.4].
const LONGEST_LINE: usize = 1024;
/// The same where a sender logs in: an access token is long [RFC 4954 4].
const LONGEST_LINE_WITH_LOGIN: usize = 12_288;
/// After so many refused lines it is no mail program that talks here.
const MOST_REFUSED: usize = 20;

/// How a browser begins that was talked into sending a form to this port: what follows must not be read as mail.
const WEB: [&str; 8] = [
    "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ",
];

/// In clear or by TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    longest_line: usize,
}

/// Talks until the sender leaves, breaks off or is sent away.
pub(super) async fn serve(
    catcher: &Catcher,
    stream: TcpStream,
    demand: Option<&Demand>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection {
        stream: BufReader::new(Box::new(stream)),
        longest_line: LONGEST_LINE,
    };
    if catcher.fault() == Some(Fault::Silent) {
        return connection.say_nothing().await;
    }
    connection
        .reply("220 localhost ESMTP test mail, nothing is sent on")
        .await?;
    let trust = match demand {
        Some(_) => Trust::Plain,
        None => Trust::NotNeeded,
    };
    let (mut session, mut refused) = (Session::new(trust), 0);
    loop {
        let line = match timeout(COMMAND, connection.read_line()).await {
            Ok(line) => line?,
            Err(_) => return connection.reply("421 Nothing heard for too long").await,
        };
        let command = match &line {
            Line::End => return Ok(()),
            Line::TooLong => Err("500 The line is too long"),
            Line::Unended => Err("500 A line ends with CR LF"),
            Line::Whole(line) if is_web(line) => {
                return connection
                    .reply("421 This is a mail system, not a web site")
                    .await;
            }
            Line::Whole(line) => Command::parse(line),
        };
        refused += usize::from(command.is_err());
        if refused > MOST_REFUSED {
            return connection
                .reply("421 Too many lines that mean nothing here")
                .await;
        }
        match session.answer(command, catcher.fault()) {
            Next::Reply(reply) => connection.reply(reply).await?,
            Next::Close(reply) => return connection.reply(reply).await,
            Next::StartTls => {
                let Some(demand) = demand else {
                    return Ok(());
                };
                connection = connection.encrypt(demand).await?;
                // [RFC 3207 4.2] Nothing that was said in clear counts.
                session = Session::new(Trust::Encrypted);
            }
            Next::Auth { mechanism, answer } => {
                let reply = match demand {
                    Some(demand) if connection.hear_login(demand, mechanism, answer).await? => {
                        session.logged_in();
                        "235 2.7.0 Authentication successful"
                    }
                    _ => "535 5.7.3 Authentication unsuccessful",
                };
                connection.reply(reply).await?;
            }
            Next::Content(envelope) => {
                connection
                    .reply("354 Send the message; a dot alone on a line ends it")
                    .await?;
                if !connection.take_message(catcher, envelope).await? {
                    return Ok(());
                }
            }
        }
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// A line feed without a carriage return.
    Unended,
    End,
}

impl Connection {
    async fn encrypt(mut self, demand: &Demand) -> io::Result<Self> {
        // What a sender, or somebody in between, said after STARTTLS and before TLS must not count as said within it.
        if !self.stream.buffer().is_empty() {
            self.reply("554 Nothing may follow STARTTLS before TLS")
                .await?;
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.reply("220 Ready for TLS").await?;
        let accepting = demand.tls().accept(self.stream.into_inner());
        let stream = timeout(REPLY, accepting)
            .await
            .unwrap_or_else(|late| Err(late.into()))?;
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            longest_line: LONGEST_LINE_WITH_LOGIN,
        })
    }

    async fn hear_login(
        &mut self,
        demand: &Demand,
        mechanism: Mechanism,
        answer: Option<String>,
    ) -> io::Result<bool> {
        let answer = if let Some(answer) = answer {
            answer
        } else {
            self.reply("334 ").await?;
            let Ok(line) = timeout(COMMAND, self.read_line()).await else {
                return Ok(false);
            };
            let Line::Whole(line) = line? else {
                return Ok(false);
            };
            String::from_utf8_lossy(&line).into_owned()
        };
        Ok(demand.knows(mechanism, &answer))
    }

    /// Reads to the end of the line, whatever its length; keeps no more than the longest.
    async fn read_line(&mut self) -> io::Result<Line> {
        let mut line = Vec::new();
        loop {
            let arrived = self.stream.fill_buf().await?;
            if arrived.is_empty() {
                return Ok(Line::End);
            }
            let end = arrived.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(arrived.len(), |end| end + 1);
            // One byte more than fits tells that it was too long.
            let room = (self.longest_line + 1).saturating_sub(line.len());
            line.extend_from_slice(&arrived[..taken.min(room)]);
            self.stream.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if line.len() > self.longest_line {
            return Ok(Line::TooLong);
        }
        Ok(match line.strip_suffix(b"\r\n") {
            Some(line) => Line::Whole(line.to_owned()),
            None => Line::Unended,
        })
    }

    /// Whether the conversation goes on.
    async fn take_message(&mut self, catcher: &Catcher, envelope: Envelope) -> io::Result<bool> {
        let Ok(content) = timeout(MESSAGE, self.read_content()).await else {
            self.reply("421 The message took too long").await?;
            return Ok(false);
        };
        let reply = match content? {
            None => return Ok(false),
            Some(Ended::TooLarge) => "552 The message is too large; SIZE says what fits".to_owned(),
            Some(Ended::Whole(_)) if catcher.fault() == Some(Fault::RefuseTemporarily) => {
                "451 Refused for now, as this mail catcher was told to; try again later".to_owned()
            }
            Some(Ended::Whole(content)) => match catcher.insert(envelope, content).await {
                Ok(_) if catcher.fault() == Some(Fault::DropBeforeAnswer) => return Ok(false),
                Ok(id) => format!("250 Kept as {id}"),
                Err(NotKept::Full) => {
                    "452 The mailbox is full; delete its messages and try again".to_owned()
                }
                Err(error) => {
                    tracing::error!(%error, "a message was refused");
                    "451 The message could not be kept; try again later".to_owned()
                }
            },
        };
        self.reply(&reply).await?;
        Ok(true)
    }

    /// Nothing when the sender broke off.
    async fn read_content(&mut self) -> io::Result<Option<Ended>> {
        let mut content = Content::new(LARGEST_MESSAGE);
        loop {
            let arrived = self.stream.fill_buf().await?;
            if arrived.is_empty() {
                return Ok(None);
            }
            let (taken, ended) = content.take(arrived);
            self.stream.consume(taken);
            if ended {
                return Ok(Some(content.end()));
            }
        }
    }

    async fn reply(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{text}\r\n");
        timeout(REPLY, self.stream.write_all(line.as_bytes()))
            .await
            .unwrap_or_else(|late| Err(late.into()))
    }

    /// Listens until the sender gives up.
    async fn say_nothing(&mut self) -> io::Result<()> {
        let mut heard = [0; 1024];
        let gone = async {
            while self.stream.read(&mut heard).await? > 0 {}
            io::Result::Ok(())
        };
        timeout(COMMAND, gone).await.unwrap_or(Ok(()))
    }
}

fn is_web(line: &[u8]) -> bool {
    WEB.iter().any(|verb| line.starts_with(verb.as_bytes()))
}
