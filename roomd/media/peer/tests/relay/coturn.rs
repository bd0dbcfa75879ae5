// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A TURN server of the distribution's, with an authority of the test's own.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stun_types::message::{BINDING, Message, MessageWrite, MessageWriteVec};
use tempfile::TempDir;

/// When the server counts as never coming: a machine with too much to do takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub const USER: &str = "elbe";
pub const PASSWORD: &str = "correct horse";

/// A running server; it ends with the value.
pub struct Coturn {
    process: Child,
    directory: TempDir,
    pub port: u16,
    pub tls_port: u16,
}

impl Coturn {
    /// Starts a server on free ports of loopback.
    pub fn on_loopback() -> Self {
        // Both families, or the test says which one the machine lacks.
        let addresses: [IpAddr; 2] = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let ports = [free_port(&addresses), free_port(&addresses)];
        Self::start(&addresses, ports[0], ports[1])
    }

    pub fn start(addresses: &[IpAddr], port: u16, tls_port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        write_certificates(&directory, addresses);
        let log = File::create(path("log")).unwrap();
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "-v", "--no-cli", "--simple-log", "--no-dtls"])
            .args(["--log-file", "stdout", "--realm", "example.org"])
            .args(["--lt-cred-mech", "--allow-loopback-peers"])
            .args(["--user", &format!("{USER}:{PASSWORD}")])
            .args(["--listening-port", &port.to_string()])
            .args(["--tls-listening-port", &tls_port.to_string()]);
        for (option, name) in [
            ("--cert", "cert.pem"),
            ("--pkey", "key.pem"),
            ("--pidfile", "pid"),
            ("--userdb", "users"),
        ] {
            command.arg(option).arg(path(name));
        }
        for address in addresses {
            command.args(["-L", &address.to_string(), "-E", &address.to_string()]);
        }
        let process = command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("turnserver of the package coturn is installed");
        let server = Self {
            process,
            directory,
            port,
            tls_port,
        };
        for address in addresses {
            server.await_port((*address, port).into());
            server.await_port((*address, tls_port).into());
            server.await_answer((*address, port).into());
        }
        server
    }

    fn await_port(&self, address: SocketAddr) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "no server: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The port for datagrams opens later than that for streams.
    fn await_answer(&self, address: SocketAddr) {
        let socket = UdpSocket::bind((address.ip(), 0)).unwrap();
        let pause = Some(Duration::from_millis(100));
        socket.set_read_timeout(pause).unwrap();
        socket.connect(address).unwrap();
        let request = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
        let deadline = Instant::now() + PATIENCE;
        loop {
            // An error is the ICMP answer to an earlier request.
            let _ = socket.send(&request);
            if socket.recv(&mut [0; 1500]).is_ok() {
                return;
            }
            assert!(Instant::now() < deadline, "no server: {}", self.log());
        }
    }

    /// The file with the authority that vouches for the server.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authority that vouches for nobody here.
pub fn stranger(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("stranger.pem");
    std::fs::write(&path, authority().0).unwrap();
    path
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), Issuer::new(params, key))
}

fn write_certificates(directory: &TempDir, addresses: &[IpAddr]) {
    let (pem, issuer) = authority();
    let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(names).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    for (name, content) in [
        ("authority.pem", pem),
        ("cert.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
}

/// A port that nobody has on any of the addresses.
fn free_port(addresses: &[IpAddr]) -> u16 {
    loop {
        let first = TcpListener::bind((addresses[0], 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let rest: Result<Vec<_>, _> = addresses[1..]
            .iter()
            .map(|address| TcpListener::bind((*address, port)))
            .collect();
        match rest {
            Ok(_) => return port,
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => panic!("this machine lacks one of {addresses:?}: {error}"),
        }
    }
}
