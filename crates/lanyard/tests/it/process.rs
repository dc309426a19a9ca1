//! One of the program's commands as a process of its own, which can be killed and started again.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::operated::LANYARD;
use crate::said::EVERYTHING;

/// How long a process may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// One `lanyard`, its log going to a file.
pub(crate) struct Process {
    words: Vec<String>,
    ports: Vec<u16>,
    /// A variable of the environment.
    variable: Option<(&'static str, PathBuf)>,
    log: PathBuf,
    running: Option<Child>,
}

impl Process {
    pub(crate) fn new(name: &str, folder: &Path, ports: &[u16]) -> Self {
        Self {
            words: Vec::new(),
            ports: ports.to_vec(),
            variable: None,
            log: folder.join(format!("{name}.log")),
            running: None,
        }
    }

    pub(crate) fn say(&mut self, words: &[&str]) {
        let words = words.iter().map(|word| (*word).to_owned());
        self.words.extend(words);
    }

    pub(crate) fn say_path(&mut self, option: &str, path: &Path) {
        self.say(&[option, path.to_str().unwrap()]);
    }

    pub(crate) fn set(&mut self, variable: &'static str, path: &Path) {
        self.variable = Some((variable, path.to_owned()));
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&mut self) {
        assert!(self.running.is_none(), "{} runs already", self.words[0]);
        let mut options = File::options();
        let log = options.create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(LANYARD);
        command.args(&self.words).env("RUST_LOG", EVERYTHING);
        if let Some((variable, path)) = &self.variable {
            command.env(variable, path);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut process = command.spawn().unwrap();
        let began = Instant::now();
        let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        while !self.ports.iter().all(listens) {
            if let Some(status) = process.try_wait().unwrap() {
                self.tell_the_end_of_the_log();
                panic!("{} ended at once, {status}", self.words[0]);
            }
            assert!(began.elapsed() < PATIENCE, "{} is deaf", self.words[0]);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.running = Some(process);
    }

    /// SIGKILL: the process gets no chance to finish anything.
    pub(crate) fn kill(&mut self) {
        let mut process = self.running.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Whether it has ended by itself since it was started, and if so how.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        let status = self.running.as_mut()?.try_wait().unwrap()?;
        self.running = None;
        Some(status)
    }

    /// Runs `lanyard` with this verb, the words that this process was started with but for its own, and `more`; it may run
    /// at the time. What it writes of its work goes to the same log.
    pub(crate) fn beside(&self, verb: &[&str], more: &[&str]) -> Output {
        let log = File::options().append(true).open(&self.log).unwrap();
        Command::new(LANYARD)
            .args(verb)
            .args(&self.words[1..])
            .args(more)
            .env("RUST_LOG", EVERYTHING)
            .stdin(Stdio::null())
            .stderr(log)
            .output()
            .unwrap()
    }

    /// The test is over.
    pub(crate) fn end(&mut self) {
        if let Some(mut process) = self.running.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Everything that it has said since the first start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn tell_the_end_of_the_log(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        eprintln!("{} said last:\n{last}", self.words[0]);
    }
}
