//! The door for mail: listeners, and how many may come in at once.

mod address;
mod command;
mod connection;
mod content;
mod demand;
mod session;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use demand::{Demand, Login};

use crate::Catcher;

/// More connections than this at once are sent away.
const MOST_CONNECTIONS: usize = 50;
/// The largest message, as `SIZE` says it.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Takes mail until a listener cannot be used.
pub(crate) async fn serve(
    catcher: Catcher,
    listeners: Vec<TcpListener>,
    demand: Option<Demand>,
) -> io::Error {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut doors = JoinSet::new();
    for listener in listeners {
        let door = open(catcher.clone(), listener, Arc::clone(&room), demand.clone());
        doors.spawn(door);
    }
    match doors.join_next().await {
        Some(Ok(error)) => error,
        Some(Err(error)) => io::Error::other(error),
        None => io::Error::other("there is nothing to listen on"),
    }
}

async fn open(
    catcher: Catcher,
    listener: TcpListener,
    room: Arc<Semaphore>,
    demand: Option<Demand>,
) -> io::Error {
    let listener = match listener.set_nonblocking(true) {
        Ok(()) => tokio::net::TcpListener::from_std(listener),
        Err(error) => return error,
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    // Dropped with the door: nobody is left talking to a catcher that has gone.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                    Ok(place) => {
                        let (catcher, demand) = (catcher.clone(), demand.clone());
                        catcher.count_connection();
                        connections.spawn(async move {
                            let ended = connection::serve(&catcher, stream, demand.as_ref()).await;
                            if let Err(error) = ended {
                                tracing::debug!(%error, "an SMTP connection broke");
                            }
                            drop(place);
                        });
                    }
                    Err(_) => {
                        connections.spawn(send_away(stream));
                    }
                },
                // Out of file descriptors, or a caller gone again: neither is the listener's end.
                Err(error) => {
                    tracing::warn!(%error, "an SMTP connection was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn send_away(mut stream: TcpStream) {
    let text = b"421 Too many connections at once; try again later\r\n";
    // Whoever does not read it will see the connection close.
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(text)).await;
}
