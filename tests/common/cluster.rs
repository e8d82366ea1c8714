//! Brokers in other places: three that keep copies of each other, and one on a small disk.

use super::{Broker, two_free_ports, within};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

impl Broker {
    /// Three brokers with a copy of every partition each; two must have a record. The first is the controller too.
    pub fn three() -> Vec<Self> {
        let ports = [two_free_ports(), two_free_ports(), two_free_ports()];
        let controller = ports[0] + 1;
        let shared = [
            "offsets.topic.replication.factor=3",
            "offsets.topic.num.partitions=3",
            "transaction.state.log.replication.factor=3",
            "transaction.state.log.min.isr=2",
            "transaction.state.log.num.partitions=3",
            "min.insync.replicas=2",
            // one that is killed is missed soon
            "broker.session.timeout.ms=3000",
            "broker.heartbeat.interval.ms=500",
        ];
        let brokers = ports.into_iter().enumerate().map(|(index, port)| {
            let mut properties: Vec<String> = shared.iter().copied().map(str::to_owned).collect();
            if index > 0 {
                properties.extend([
                    "process.roles=broker".to_owned(),
                    format!("node.id={}", index + 1),
                    format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
                    format!("controller.quorum.bootstrap.servers=127.0.0.1:{controller}"),
                ]);
            }
            Self::launch(port, properties, 3, |_| None)
        });
        brokers.collect()
    }

    /// A broker whose disk has `bytes`.
    pub fn on_small_disk(bytes: u64) -> Self {
        Self::launch(two_free_ports(), Vec::new(), 1, |folder| {
            Some(SmallDisk::at(&folder.join("data"), bytes))
        })
    }

    /// Leaves this many bytes of its small disk free.
    pub fn fill_disk(&self, free: u64) {
        self.disk.as_ref().unwrap().fill(free);
    }

    /// Somebody tidies up.
    pub fn tidy_disk(&self) {
        std::fs::remove_file(self.disk.as_ref().unwrap().ballast()).unwrap();
    }
}

/// A file system in memory, in a mount namespace that goes with its process; needs no rights where
/// users may have namespaces of their own.
pub(super) struct SmallDisk {
    holder: Child,
    folder: PathBuf,
}

impl SmallDisk {
    fn at(folder: &Path, bytes: u64) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let script = format!("mount -t tmpfs -o size={bytes} disk '{}' && exec sleep 3600", folder.display());
        let holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare is missing: apt-get install util-linux");
        let mut disk = Self { holder, folder: folder.to_owned() };
        within(Duration::from_secs(10), "a file system in memory; may users have namespaces here?", || {
            assert!(disk.holder.try_wait().unwrap().is_none(), "no file system in memory");
            let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", disk.holder.id())).ok()?;
            mounts.contains(&format!("{} tmpfs", folder.display())).then_some(())
        });
        disk
    }

    /// A command that sees it.
    pub(super) fn enter(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let holder = self.holder.id().to_string();
        command.args(["--target", &holder, "--user", "--mount", "--preserve-credentials"]).arg(program);
        command
    }

    fn ballast(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(inside).join("ballast")
    }

    fn fill(&self, free: u64) {
        use std::io::Write;
        let path = self.ballast();
        let mut file = std::fs::File::create(&path).unwrap();
        let available = || {
            let said = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&path).output().unwrap().stdout;
            let said = String::from_utf8(said).unwrap();
            said.split_whitespace().map(|number| number.parse::<u64>().unwrap()).product::<u64>()
        };
        let bytes = vec![1; 1 << 20];
        while available() > free + (1 << 20) {
            file.write_all(&bytes).unwrap();
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
