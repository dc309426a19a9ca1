//! SEC-40: what any test of the suite makes the gateway log is looked through when its world ends, for its people, their
//! credentials and everybody's secrets. The tests of the suite do what nobody has thought of for a test of privacy.

use std::io::Write;
use std::sync::{Arc, Mutex, Once};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::{Party, UNIQUE_IDENTIFIER, identity, programme};

/// Everything that our crates can be made to say.
const FILTER: &str = "gateway=trace,store=trace,ui=trace,standards=trace";

/// Everything that was logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: Mutex<Option<Log>> = Mutex::new(None);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// From now on, unless the test listens for itself.
pub(super) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = Log::default();
        let lines = tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_writer(log.clone());
        if lines.try_init().is_ok() {
            *LOG.lock().unwrap() = Some(log);
        }
    });
}

/// Whether any line has that text. Not where a test listens for itself.
pub(super) fn has_said(text: &str) -> bool {
    let log = LOG.lock().unwrap().clone();
    log.is_some_and(|log| String::from_utf8_lossy(&log.0.lock().unwrap()).contains(text))
}

/// What must not be found, and what it is.
pub(super) fn look_through(parties: &[Party], serial_numbers: &[String]) {
    let Some(log) = LOG.lock().unwrap().clone() else {
        return;
    };
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let mut unsaid = vec![("the unique identifier", UNIQUE_IDENTIFIER.to_owned())];
    for claims in [identity(), programme()] {
        for name in [
            "ID-LegalFirstName",
            "ID-LegalSurname",
            "ID-BirthDate",
            "TPR-Name",
        ] {
            let value = claims.get(name).and_then(|value| value.as_str());
            unsaid.extend(value.map(|value| ("a claim", value.to_owned())));
        }
    }
    for party in parties {
        unsaid.push(("a client secret", party.secret.clone()));
        unsaid.push(("a signing key", party.signing_key.to_base64().to_string()));
    }
    let serials = serial_numbers.iter();
    unsaid.extend(serials.map(|serial| ("a serial number", serial.clone())));
    for (what, value) in unsaid {
        let found = text.lines().find(|line| line.contains(&value));
        assert!(found.is_none(), "the log has {what}, {value}:\n{found:?}");
    }
}
