//! A relay in front of a server that runs on the runtime of the test which started it.

use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

/// Starts a relay to a port of this machine, and gives its own.
///
/// On a runtime of one thread the relay has no turn while a future of the test is being polled: no
/// answer comes in the very poll in which its question was sent, however fast the server is and
/// however late the scheduler. Each answer is an await, so that awaits can be counted.
pub(crate) async fn relay_to(port: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                    return;
                };
                for stream in [&client, &server] {
                    let _ = stream.set_nodelay(true);
                }
                // The end of a connection, from either side, ends the relaying of it.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    own
}
