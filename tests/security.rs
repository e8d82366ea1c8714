//! TLS, SASL and ACLs against a real broker: right credentials work, wrong ones are named, and no
//! secret is ever seen.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Broker, WorkerProcess, article, kafka_tool, within};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Who may do what; each has a password of its own.
const ALL: &str = "alice";
const NOTHING: &str = "bob";
const NOT_INPUT: &str = "carol";
const NOT_OUTPUT: &str = "dave";
const NOT_GROUP: &str = "erin";

fn password(user: &str) -> String {
    format!("pw-of-{user}-8c1f")
}

/// A broker with a second listener: SASL over TLS.
struct Secured {
    broker: Broker,
    address: String,
    folder: TempDir,
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl is missing: apt-get install openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `NAME.pem` and `NAME.key` of an authority.
fn authority(folder: &Path, name: &str) {
    let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
    let subject = format!("/CN={name}");
    let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    openssl(folder, &[&arguments[..], &["-subj", &subject, "-out", &pem, "-keyout", &key]].concat());
}

impl Secured {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        authority(at, "ca");
        authority(at, "stranger");
        openssl(
            at,
            &[
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=broker",
                "-out",
                "b.csr",
                "-keyout",
                "b.key",
            ],
        );
        std::fs::write(at.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let sign = ["x509", "-req", "-in", "b.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"];
        openssl(at, &[&sign[..], &["-extfile", "san", "-out", "b.pem"]].concat());
        let pem = std::fs::read_to_string(at.join("b.key")).unwrap()
            + &std::fs::read_to_string(at.join("b.pem")).unwrap();
        let store = at.join("store.pem");
        std::fs::write(&store, pem).unwrap();
        let port = common::two_free_ports();
        let tls = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users: String = [ALL, NOTHING, NOT_INPUT, NOT_OUTPUT, NOT_GROUP]
            .iter()
            .map(|user| format!(" user_{user}=\"{}\"", password(user)))
            .collect();
        let module = "org.apache.kafka.common.security";
        let jaas = |mechanism: &str, module: &str| {
            format!("listener.name.sasl_ssl.{mechanism}.sasl.jaas.config={module};")
        };
        let scram = format!("{module}.scram.ScramLoginModule required");
        let broker = Broker::start_on(
            port,
            vec![
                format!(
                    "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{},SASL_SSL://127.0.0.1:{tls}",
                    port + 1
                ),
                format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{tls}"),
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL"
                    .into(),
                "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".into(),
                "ssl.keystore.type=PEM".into(),
                format!("ssl.keystore.location={}", store.display()),
                jaas("plain", &format!("{module}.plain.PlainLoginModule required{users}")),
                jaas("scram-sha-256", &scram),
                jaas("scram-sha-512", &scram),
                jaas(
                    "oauthbearer",
                    &format!(
                        "{module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\""
                    ),
                ),
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".into(),
                "super.users=User:ANONYMOUS".into(),
            ],
        );
        broker.topics(1);
        let secured = Self { broker, address: format!("127.0.0.1:{tls}"), folder };
        let plain = secured.broker.address();
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let credential = format!("{mechanism}=[password={}]", password(ALL));
            let alter =
                ["--alter", "--entity-type", "users", "--entity-name", ALL, "--add-config", &credential];
            kafka_tool(&[&["kafka.admin.ConfigCommand", "--bootstrap-server", &plain], &alter[..]].concat());
        }
        secured.allow("Read", &["--topic", "articles"], &[ALL, NOT_OUTPUT, NOT_GROUP]);
        secured.allow("Write", &["--topic", "articles.tagged"], &[ALL, NOT_INPUT, NOT_GROUP]);
        secured.allow("Write", &["--topic", "articles.dlq"], &[ALL, NOT_INPUT, NOT_OUTPUT, NOT_GROUP]);
        secured.allow("Read", &["--group", "rasid"], &[ALL, NOT_INPUT, NOT_OUTPUT]);
        secured
    }

    fn allow(&self, operation: &str, resource: &[&str], users: &[&str]) {
        self.acl("--add", operation, resource, users);
    }

    fn acl(&self, change: &str, operation: &str, resource: &[&str], users: &[&str]) {
        let address = self.broker.address();
        let principals: Vec<String> = users.iter().map(|user| format!("User:{user}")).collect();
        let mut arguments = vec![
            "org.apache.kafka.tools.AclCommand",
            "--bootstrap-server",
            &address,
            change,
            "--force",
            "--operation",
            operation,
        ];
        arguments.extend(resource);
        for principal in &principals {
            arguments.extend(["--allow-principal", principal]);
        }
        kafka_tool(&arguments);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Arguments of a worker; properties in `more` win.
    fn arguments(&self, user: &str, mechanism: &str, more: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = ["run", "--input", "articles", "--output", "articles.tagged"]
            .into_iter()
            .chain(["--dead-letters", "articles.dlq", "--group", "rasid", "--http", "127.0.0.1:0"])
            .map(str::to_owned)
            .collect();
        arguments.extend(["--brokers".to_owned(), self.address.clone()]);
        for property in [
            "security.protocol=sasl_ssl".to_owned(),
            format!("ssl.ca.location={}", self.file("ca.pem").display()),
            format!("sasl.mechanisms={mechanism}"),
            format!("sasl.username={user}"),
        ] {
            arguments.extend(["-X".to_owned(), property]);
        }
        arguments.extend(more.iter().copied().map(str::to_owned));
        arguments
    }

    /// The password stands in a file, as it should.
    fn secret(&self, password: &str) -> String {
        let path = self.file(&format!("secret-{}", password.len()));
        std::fs::write(&path, format!("{password}\n")).unwrap();
        path.display().to_string()
    }

    fn worker(&self, arguments: &[String], password: &str) -> WorkerProcess {
        let secret = self.secret(password);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        WorkerProcess::start_with(&arguments, &[("RASID_KAFKA_SASL_PASSWORD_FILE", &secret)])
    }

    /// What `--check` prints, and its exit code.
    fn check(&self, arguments: &[String], password: &str) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_rasid"))
            .args(arguments)
            .arg("--check")
            .env("RASID_KAFKA_SASL_PASSWORD_FILE", self.secret(password))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
    }

    /// `--check`, `/readyz` and the log all say it, and none of them says the secret.
    fn is_told(&self, what: &str, arguments: &[String], password: &str, words: &[&str]) {
        let (code, said) = self.check(arguments, password);
        eprintln!("{what}: {}", said.lines().last().unwrap_or_default());
        assert_eq!(code, Some(1), "{what}: {said}");
        let worker = self.worker(arguments, password);
        let ready = within(PATIENCE, what, || {
            let (status, answer) = worker.get("/readyz");
            assert_eq!(status, 503, "{what}: {answer}");
            words.iter().all(|word| answer.contains(word)).then_some(answer)
        });
        assert_eq!(worker.get("/livez").0, 200, "{what}: a restart would not help");
        // the log's reader may be a moment behind
        let log = within(PATIENCE, what, || {
            let log = worker.log();
            words.iter().all(|word| log.contains(word)).then_some(log)
        });
        for (place, text) in [("--check", &said), ("log", &log)] {
            for word in words {
                assert!(text.contains(word), "{what}: {word} in {place}:\n{text}");
            }
        }
        for text in [said, log, ready, worker.get("/metrics").1, worker.get("/live.json").1, worker.stop()] {
            assert!(!text.contains(password), "{what}: a secret is seen:\n{text}");
        }
    }
}

#[test]
fn the_right_credentials_work_and_the_wrong_ones_are_named() {
    let secured = Secured::start();
    let feeder = secured.broker.producer();
    let token =
        ["-X", "enable.sasl.oauthbearer.unsecure.jwt=true", "-X", "sasl.oauthbearer.config=principal=alice"];
    for (tagged, (mechanism, more)) in [
        ("PLAIN", &[][..]),
        ("SCRAM-SHA-256", &[]),
        ("SCRAM-SHA-512", &["-X", "debug=all"]),
        ("OAUTHBEARER", &token),
    ]
    .into_iter()
    .enumerate()
    {
        let arguments = secured.arguments(ALL, mechanism, more);
        let (code, said) = secured.check(&arguments, &password(ALL));
        assert_eq!(code, Some(0), "{mechanism}: {said}");
        let worker = secured.worker(&arguments, &password(ALL));
        feeder.send(mechanism, Some(article(1).as_bytes()));
        feeder.flush();
        within(PATIENCE, mechanism, || {
            (secured.broker.count("articles.tagged") == tagged as i64 + 1).then_some(())
        });
        let pages = ["/metrics", "/readyz", "/live.json"].map(|path| worker.get(path).1).concat();
        // with librdkafka's own debugging too
        let all = said + &pages + &worker.stop();
        assert!(!all.contains(&password(ALL)), "{mechanism}: a secret is seen");
    }
    let right = password(ALL);
    let plain = secured.arguments(ALL, "PLAIN", &[]);
    secured.is_told("wrong password", &plain, "pw-that-is-wrong-77", &["uthentication", "sasl"]);
    let scram = secured.arguments(ALL, "SCRAM-SHA-512", &[]);
    secured.is_told("wrong password, SCRAM", &scram, "pw-that-is-wrong-77", &["uthentication", "sasl"]);
    let stranger = format!("ssl.ca.location={}", secured.file("stranger.pem").display());
    let stranger = secured.arguments(ALL, "PLAIN", &["-X", &stranger]);
    secured.is_told("wrong authority", &stranger, &right, &["certificate verify failed", "ssl.ca.location"]);
    let plaintext = secured.arguments(ALL, "PLAIN", &["-X", "security.protocol=sasl_plaintext"]);
    secured.is_told("no TLS", &plaintext, &right, &["security.protocol"]);
    for (what, user, words) in [
        (
            "no ACL at all",
            NOTHING,
            &["`articles`", "`articles.tagged`", "`articles.dlq`", "not authorized"][..],
        ),
        ("no ACL on the input", NOT_INPUT, &["`articles`", "not authorized", "Read"]),
        ("no ACL on the output", NOT_OUTPUT, &["`articles.tagged`", "not authorized", "Write"]),
        ("no ACL on the group", NOT_GROUP, &["group `rasid`", "not authorized", "Read"]),
    ] {
        secured.is_told(what, &secured.arguments(user, "PLAIN", &[]), &password(user), words);
    }
    certificates_are_read_at_the_start(&secured);
}

/// A file that is exchanged changes nothing for a worker that runs; its next start reads it.
fn certificates_are_read_at_the_start(secured: &Secured) {
    let exchanged = secured.file("exchanged.pem");
    let put = |name: &str| std::fs::copy(secured.file(name), &exchanged).unwrap();
    let location = format!("ssl.ca.location={}", exchanged.display());
    let arguments = secured.arguments(ALL, "PLAIN", &["-X", &location]);
    let goes_on = |worker: &WorkerProcess| {
        let before = secured.broker.count("articles.tagged");
        let feeder = secured.broker.producer();
        feeder.send("certificate", Some(article(1).as_bytes()));
        feeder.flush();
        within(PATIENCE, "tagged", || (secured.broker.count("articles.tagged") > before).then_some(()));
        assert_eq!(worker.get("/readyz").0, 200);
    };
    put("ca.pem");
    let worker = secured.worker(&arguments, &password(ALL));
    goes_on(&worker);
    put("stranger.pem");
    goes_on(&worker);
    worker.stop();
    secured.is_told(
        "another authority at the next start",
        &arguments,
        &password(ALL),
        &["certificate verify failed"],
    );
    put("ca.pem");
    let worker = secured.worker(&arguments, &password(ALL));
    goes_on(&worker);
    worker.stop();
}
