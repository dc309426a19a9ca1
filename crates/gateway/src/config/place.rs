//! Where something is that a declaration names: in a file of this machine, or in the declaration itself. One way of saying it,
//! and one way of reading it, for everything that can be either.

use std::fmt;
use std::io::{Error, Read as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What can be declared so.
pub trait Placed: Sized {
    /// How it is said, for whoever said it otherwise.
    const SAID: &'static str;
    /// The most bytes of its file.
    const LARGEST: u64;

    /// Reads a file.
    fn of_file(bytes: &[u8]) -> Result<Self, String>;
    /// Reads what stands in the declaration.
    fn of_text(text: &str) -> Result<Self, String>;
    /// What of a text is wrong by itself, so that it is told with its place in the file that declares it.
    fn check(_text: &str) -> Result<(), String> {
        Ok(())
    }

    /// As the registry keeps it: itself, and nothing else that its file held.
    fn to_text(&self) -> String;
}

/// Where it is.
pub struct Place<T> {
    said: Said,
    of: PhantomData<fn() -> T>,
}

#[derive(Clone)]
enum Said {
    File(PathBuf),
    Here(String),
}

impl<T: Placed> Place<T> {
    /// In a file of this machine.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Said::File(path.into()))
    }

    fn of(said: Said) -> Self {
        let of = PhantomData;
        Self { said, of }
    }

    /// Whether it is in a file: what nobody may say who only speaks with this machine.
    pub fn is_file(&self) -> bool {
        matches!(self.said, Said::File(_))
    }

    /// The thing itself; or why it is none, with the file's name where there is one.
    pub fn read(&self) -> Result<T, String> {
        match &self.said {
            Said::Here(text) => T::of_text(text),
            Said::File(path) => {
                let named = |reason: String| format!("{}: {reason}", path.display());
                let bytes = read_file(path, T::LARGEST);
                let bytes = bytes.map_err(|error| named(error.to_string()))?;
                T::of_file(&bytes).map_err(named)
            }
        }
    }
}

/// A file of at most so many bytes. A device or a pipe has no end, or waits for one: only a file is read, and of a larger one as
/// much as shows that it is.
pub(crate) fn read_file(path: &Path, most: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(Error::other("it is no file"));
    }
    let file = std::fs::File::open(path)?;
    // Room for all of it at once: what grows leaves copies behind, and some of these are secrets.
    let room = file.metadata()?.len().min(most) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(room).unwrap_or(0)));
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let reason = format!("it has more than {most} bytes");
        return Err(Error::other(reason));
    }
    Ok(bytes)
}

/// The same of a text.
pub(crate) fn read_text(path: &Path, most: u64) -> std::io::Result<Zeroizing<String>> {
    let bytes = read_file(path, most)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::other("it is no text in UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        let (said, of) = (self.said.clone(), PhantomData);
        Self { said, of }
    }
}

impl<T> fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.said {
            Said::File(path) => write!(f, "Place(file {})", path.display()),
            Said::Here(_) => f.write_str("Place(…)"),
        }
    }
}

impl<'de, T: Placed> Deserialize<'de> for Place<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor<T>(PhantomData<fn() -> T>);

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct InFile {
            file: PathBuf,
        }

        impl<'de, T: Placed> Visitor<'de> for PlaceVisitor<T> {
            type Value = Place<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::SAID)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Place<T>, E> {
                T::check(text).map_err(E::custom)?;
                Ok(Place::of(Said::Here(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place<T>, A::Error> {
                let InFile { file } = InFile::deserialize(MapAccessDeserializer::new(map))
                    .map_err(A::Error::custom)?;
                Ok(Place::file(file))
            }
        }

        // A list is neither of the two, whatever stands in it.
        deserializer.deserialize_any(PlaceVisitor(PhantomData))
    }
}

/// What is kept is the thing itself: its file is read once.
impl<T: Placed> Serialize for Place<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let read = self.read().map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&read.to_text())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use serde_json::json;

    use super::*;
    use crate::config::Secret;
    use crate::organisation::certificates::Chain;

    /// Whatever it is, as long as it is short.
    #[derive(Debug)]
    struct Anything(String);

    impl Placed for Anything {
        const SAID: &'static str = "{ file = … } or anything";
        const LARGEST: u64 = 10;

        fn of_file(bytes: &[u8]) -> Result<Self, String> {
            Ok(Self(String::from_utf8_lossy(bytes).into_owned()))
        }

        fn of_text(text: &str) -> Result<Self, String> {
            Ok(Self(text.to_owned()))
        }

        fn to_text(&self) -> String {
            self.0.clone()
        }
    }

    /// Files that have an end and some that have none. The folder goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = format!("lanyard-place-{}", uuid::Uuid::new_v4());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir(&folder).unwrap();
            let pipe = folder.join("pipe");
            let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
            assert!(made.success());
            std::os::unix::fs::symlink(&pipe, folder.join("to-pipe")).unwrap();
            std::fs::write(folder.join("short"), "0123456789").unwrap();
            std::os::unix::fs::symlink(folder.join("short"), folder.join("to-short")).unwrap();
            std::fs::write(folder.join("long"), "0123456789a").unwrap();
            Self(folder)
        }

        fn endless(&self) -> [(PathBuf, &'static str); 4] {
            [
                (self.0.join("pipe"), "it is no file"),
                (self.0.join("to-pipe"), "it is no file"),
                (self.0.clone(), "it is no file"),
                ("/dev/zero".into(), "it is no file"),
            ]
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn sec_37_what_a_declaration_names_is_read_from_a_file_of_its_size_and_from_nothing_without_an_end()
     {
        let folder = Folder::new();
        for (path, reason) in folder.endless() {
            let refused = Place::<Anything>::file(&path).read().unwrap_err();
            assert_eq!(refused, format!("{}: {reason}", path.display()));
            // The same way of reading for whatever is named so.
            assert!(Place::<ui::Logo>::file(&path).read().is_err());
            let refused = Place::<Chain>::file(&path).read().unwrap_err();
            assert!(refused.ends_with(reason), "{refused}");
            let refused = Secret::File(path).read().unwrap_err().to_string();
            assert!(refused.contains(reason), "{refused}");
        }
        for name in ["short", "to-short"] {
            let read = Place::<Anything>::file(folder.0.join(name)).read();
            assert_eq!(read.unwrap().0, "0123456789");
        }
        let refused = Place::<Anything>::file(folder.0.join("long")).read();
        assert!(
            refused
                .unwrap_err()
                .ends_with("long: it has more than 10 bytes")
        );
        let large = folder.0.join("large");
        std::fs::write(&large, vec![b'x'; 64 * 1024 + 1]).unwrap();
        let more = "it has more than 65536 bytes";
        let refused = Place::<Chain>::file(&large).read().unwrap_err();
        assert!(refused.ends_with(more), "{refused}");
        let refused = Secret::File(large).read().unwrap_err().to_string();
        assert!(refused.contains(more), "{refused}");
    }

    #[test]
    fn sec_37_a_place_is_a_file_or_a_text_and_nothing_that_reads_like_one() {
        let read = |value| serde_json::from_value::<Place<Anything>>(value);
        assert!(read(json!({ "file": "/dev/zero" })).unwrap().is_file());
        assert!(!read(json!("/dev/zero")).unwrap().is_file());
        for wrong in [
            json!(["/dev/zero"]),
            json!([{ "file": "/dev/zero" }]),
            json!([null, "/dev/zero"]),
            json!({ "file": ["/dev/zero"], "more": 1 }),
            json!({ "file": "/dev/zero", "more": 1 }),
            json!({ "path": "/dev/zero" }),
            json!({}),
            json!(null),
            json!(7),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        // What is kept is the thing, and its file is named to nobody who prints it.
        let folder = Folder::new();
        let place = Place::<Anything>::file(folder.0.join("short"));
        assert_eq!(serde_json::to_value(&place).unwrap(), "0123456789");
        let here = read(json!("kept to oneself")).unwrap();
        assert_eq!(format!("{here:?}"), "Place(…)");
    }
}
