//! A TCP proxy on loopback that can cut its connections, refuse new ones, and stop passing bytes on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between clients and one address; it ends with the test.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    open: Mutex<Vec<TcpStream>>,
    refusing: AtomicBool,
    stalled: AtomicBool,
    ended: AtomicBool,
}

impl Proxy {
    /// Passes on to `target`, `host:port`.
    pub fn start(target: &str) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), target)
    }

    /// The same on a port that was chosen before.
    pub fn on(listener: TcpListener, target: &str) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (shared, target) = (state.clone(), target.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                if shared.refusing.load(Ordering::Relaxed) {
                    continue;
                }
                // a broker that is away refuses by itself
                let Ok(server) = TcpStream::connect(&target) else { continue };
                let mut open = shared.open.lock().unwrap();
                open.retain(|stream| stream.peer_addr().is_ok());
                open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                drop(open);
                let (back, front) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let state = shared.clone();
                std::thread::spawn(move || pass(client, front, &state));
                let state = shared.clone();
                std::thread::spawn(move || pass(server, back, &state));
            }
        });
        Self { port, state }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Closes every connection; new ones are taken.
    pub fn cut(&self) {
        for stream in self.state.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Whether new connections are closed at once.
    pub fn refuse(&self, refusing: bool) {
        self.state.refusing.store(refusing, Ordering::Relaxed);
    }

    /// Whether bytes stay where they are, as behind a firewall that forgot the connection.
    pub fn stall(&self, stalled: bool) {
        self.state.stalled.store(stalled, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        self.stall(false);
        self.cut();
        // wakes the listener
        let _ = TcpStream::connect(self.address());
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        while state.stalled.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
