//! A server for applications that have none: it answers `GET /metrics`, on loopback unless told
//! otherwise. Whoever connects is a stranger: what one may send, how long it may take and how many
//! are served at once is bounded.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::{CONTENT_TYPE, Metrics};

/// A request's head may be so long.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// A request and its answer may take so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many are served at once; others wait to be accepted.
const MAX_AT_ONCE: usize = 16;

/// The pause after a connection could not be accepted: the process has no file left, say.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Answers `GET /metrics` until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl MetricsServer {
    /// Serves these metrics on this port of `127.0.0.1`; 0 takes one that is free.
    pub async fn on_loopback(metrics: Metrics, port: u16) -> io::Result<Self> {
        Self::bind(metrics, (Ipv4Addr::LOCALHOST, port).into()).await
    }

    /// Serves these metrics on this address. Whoever can reach it can read them.
    pub async fn bind(metrics: Metrics, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, accepting: tokio::spawn(accept(listener, metrics)) })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, metrics: Metrics) {
    let places = Arc::new(Semaphore::new(MAX_AT_ONCE));
    // Dropped with this future, it ends those that are being served.
    let mut served = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                served.spawn(serve(stream, metrics.clone(), place));
            }
            Err(_) => sleep(PAUSE_AFTER_ERROR).await,
        }
        while served.try_join_next().is_some() {}
    }
}

/// A caller that is slow, or gone, is no problem of this process.
async fn serve(mut stream: TcpStream, metrics: Metrics, _place: OwnedSemaphorePermit) {
    let exchange = async {
        let head = read_head(&mut stream).await?;
        stream.write_all(&answer(head.as_deref(), &metrics)).await?;
        stream.shutdown().await
    };
    let _ = timeout(PATIENCE, exchange).await;
}

/// What stands before the empty line; `None` where that is too long, or never came.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while head.len() < MAX_HEAD_BYTES {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

fn answer(head: Option<&[u8]>, metrics: &Metrics) -> Vec<u8> {
    let line = head.and_then(|head| head.split(|byte| *byte == b'\r').next());
    let mut words = line.unwrap_or_default().split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let path = target.and_then(|target| target.split(|byte| *byte == b'?').next());
    let http = version.is_some_and(|version| version.starts_with(b"HTTP/1."));
    let (status, body) = match (method, path) {
        (Some(b"GET" | b"HEAD"), Some(b"/metrics")) if http => ("200 OK", metrics.render()),
        (Some(b"GET" | b"HEAD"), Some(_)) if http => {
            ("404 Not Found", "only /metrics is here\n".to_owned())
        }
        (Some(_), Some(_)) if http => {
            ("405 Method Not Allowed", "only GET is answered\n".to_owned())
        }
        _ => ("400 Bad Request", "this is no HTTP/1 request\n".to_owned()),
    };
    let kind = if status == "200 OK" { CONTENT_TYPE } else { "text/plain; charset=utf-8" };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         {allow}Connection: close\r\n\r\n"
    );
    if method != Some(b"HEAD") {
        answer.push_str(&body);
    }
    answer.into_bytes()
}
