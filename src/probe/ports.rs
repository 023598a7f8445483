//! Ports: the sockets that wait on them, from the kernel's tables in /proc.

use std::collections::HashMap;
use std::net::SocketAddr;

use procfs::net::{TcpState, UdpState};
use procfs::process::{FDTarget, Process};

use super::now::{Facts, Listener, Now, Traces};

pub(super) fn look(port: u16) -> Now {
    let sockets = match sockets(port) {
        Ok(sockets) => sockets,
        Err(error) => {
            return Now::Unknown(format!("the kernel's table of sockets cannot be read: {error}"));
        }
    };
    if sockets.is_empty() {
        let looked = "nothing listens on it, TCP or UDP".to_owned();
        return Now::Absent(Traces { looked, left: Vec::new() });
    }
    let holders = holders(&sockets);
    let listeners = sockets.into_iter().map(|socket| Listener {
        protocol: socket.protocol,
        address: socket.address,
        process: holders.get(&socket.inode).cloned(),
    });
    let mut listeners: Vec<Listener> = listeners.collect();
    listeners.sort();
    Now::Present(Facts::Port(listeners))
}

struct Socket {
    protocol: &'static str,
    address: SocketAddr,
    inode: u64,
}

/// The sockets that wait on `port`. A kernel without IPv6 has no table of it.
fn sockets(port: u16) -> procfs::ProcResult<Vec<Socket>> {
    let tcp = procfs::net::tcp()?.into_iter().chain(procfs::net::tcp6().unwrap_or_default());
    let tcp = tcp.filter(|socket| socket.state == TcpState::Listen);
    let tcp = tcp.map(|socket| ("tcp", socket.local_address, socket.inode));
    let udp = procfs::net::udp()?.into_iter().chain(procfs::net::udp6().unwrap_or_default());
    // One that is connected to a peer waits for nobody else.
    let udp = udp.filter(|socket| socket.state == UdpState::Close);
    let udp = udp.map(|socket| ("udp", socket.local_address, socket.inode));
    let all = tcp.chain(udp).filter(|(_, address, _)| address.port() == port);
    Ok(all.map(|(protocol, address, inode)| Socket { protocol, address, inode }).collect())
}

/// The processes that hold these sockets, by the socket's inode, as far as this user may know.
fn holders(sockets: &[Socket]) -> HashMap<u64, (i32, String)> {
    let mut holders = HashMap::new();
    let Ok(processes) = procfs::process::all_processes() else { return holders };
    for process in processes.flatten() {
        for inode in inodes(&process) {
            if sockets.iter().any(|socket| socket.inode == inode) {
                let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
                // A server's first process has the lowest number; its workers share the socket.
                holders.entry(inode).or_insert((process.pid, name));
            }
        }
    }
    holders
}

fn inodes(process: &Process) -> Vec<u64> {
    let Ok(descriptors) = process.fd() else { return Vec::new() };
    let sockets = descriptors.flatten().filter_map(|descriptor| match descriptor.target {
        FDTarget::Socket(inode) => Some(inode),
        _ => None,
    });
    sockets.collect()
}
