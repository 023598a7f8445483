//! Customers: tasks that ask the shop over HTTP, one request after another.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

const THINKING: Duration = Duration::from_millis(20);

/// Customers who are on their way.
pub(crate) struct Customers {
    going_home: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Invites this many customers.
pub(crate) fn invite(shop: SocketAddr, number: usize) -> Customers {
    let going_home = watch::Sender::new(false);
    let mut tasks = JoinSet::new();
    for customer in 0..number {
        let done = going_home.subscribe();
        // Every fourth one buys, the others look.
        let method = if customer % 4 == 0 { "POST" } else { "GET" };
        tasks.spawn(async move {
            while !*done.borrow() {
                // A shop that is closed is no reason to stop asking.
                let _ = ask(shop, method).await;
                tokio::time::sleep(THINKING).await;
            }
        });
    }
    Customers { going_home, tasks }
}

impl Customers {
    /// Waits until each has the answer to the last question.
    pub(crate) async fn send_home(self) {
        self.going_home.send_replace(true);
        self.tasks.join_all().await;
    }
}

async fn ask(shop: SocketAddr, method: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(shop).await?;
    let request = format!(
        "{method} /orders HTTP/1.1\r\nHost: {shop}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
