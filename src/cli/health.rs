//! `rasid health`: asks a running worker whether it is well, for orchestrators whose probes are commands.

use super::Usage;
use crate::config::http_address;
use anyhow::{Context, anyhow};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// Ask a running worker on this machine whether it is well: exit code 0 or 1
#[derive(clap::Args)]
#[command(
    after_help = "The address is found as `rasid run` finds it: flag over RASID_HTTP over the settings file.

Examples:
  rasid health                          # /livez: is it alive?
  rasid health --ready                  # /readyz: has it its topics and its group?
  rasid health --http 127.0.0.1:8080"
)]
pub struct Args {
    /// Settings file of the worker, TOML
    #[arg(long, env = "RASID_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address that the worker listens on [default: 127.0.0.1:9464]
    #[arg(long, env = "RASID_HTTP", value_name = "ADDR")]
    http: Option<String>,
    /// Ask whether it is ready, not only alive
    #[arg(long)]
    ready: bool,
}

/// How long the worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub fn run(args: &Args) -> anyhow::Result<()> {
    let address =
        http_address(args.http.clone(), args.config.as_deref()).map_err(|error| Usage(error.to_string()))?;
    let address = reachable(address);
    let path = if args.ready { "/readyz" } else { "/livez" };
    let (status, body) = get(address, path).with_context(|| format!("http://{address}{path}"))?;
    if status == 200 {
        println!("{}", body.trim());
        return Ok(());
    }
    Err(anyhow!("http://{address}{path}: {status}: {}", body.trim()))
}

/// A worker that listens on every address is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: one answer in one piece, then the end
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // probes answer in a line; whatever listens there instead may not fill memory
    stream.take(64 << 10).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer is no HTTP")?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_listens_everywhere_is_asked_on_loopback() {
        let asked = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:9464"), "127.0.0.1:9464");
        assert_eq!(asked("[::]:9464"), "[::1]:9464");
        assert_eq!(asked("10.0.0.7:80"), "10.0.0.7:80");
    }
}
