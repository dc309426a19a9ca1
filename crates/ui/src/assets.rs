//! Static files under an address that names their content, so that a browser may keep them for good.
//!
//! A [`Set`] is addressed as a whole: its files reach each other by relative names (a style sheet its icons,
//! a module the module it imports), and a change to any of them changes the address of all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{Context, SHA256};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::{Compression, write::GzEncoder};

/// One file as it is written in the source tree or made at start.
#[derive(Debug, Clone)]
pub struct File {
    /// The last part of its address.
    pub name: &'static str,
    /// Its `Content-Type`.
    pub media_type: &'static str,
    /// What it holds.
    pub content: Cow<'static, [u8]>,
}

impl File {
    /// A file that is compiled into the binary; the media type follows from the name.
    pub const fn embedded(
        name: &'static str,
        media_type: &'static str,
        content: &'static [u8],
    ) -> Self {
        Self {
            name,
            media_type,
            content: Cow::Borrowed(content),
        }
    }
}

/// Media type of a style sheet.
pub const CSS: &str = "text/css; charset=utf-8";
/// Media type of a script or module.
pub const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// Media type of a drawing.
pub const SVG: &str = "image/svg+xml";
/// Media type of a picture.
pub const PNG: &str = "image/png";

/// Files that share one content address, compressed once.
#[derive(Debug, Clone)]
pub struct Set {
    base: Arc<str>,
    files: Arc<BTreeMap<&'static str, Stored>>,
}

#[derive(Debug)]
struct Stored {
    media_type: HeaderValue,
    plain: Variant,
    gzip: Option<Variant>,
}

#[derive(Debug)]
struct Variant {
    content: Bytes,
    etag: HeaderValue,
}

impl Set {
    /// Hashes and compresses the files.
    pub fn new(files: impl IntoIterator<Item = File>) -> Self {
        let files: BTreeMap<_, _> = files.into_iter().map(|file| (file.name, file)).collect();
        let mut context = Context::new(&SHA256);
        for file in files.values() {
            for part in [file.name.as_bytes(), file.content.as_ref()] {
                // The length before each part keeps two different sets from hashing alike.
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
        }
        let hash = hex::encode(context.finish());
        Self {
            base: format!("/assets/{}", &hash[..16]).into(),
            files: Arc::new(
                files
                    .into_values()
                    .map(|file| (file.name, Stored::new(file)))
                    .collect(),
            ),
        }
    }

    /// The address of one of its files.
    pub fn href(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// Whether it has a file of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The step of its addresses that names its content.
    pub fn hash(&self) -> &str {
        self.base.rsplit('/').next().unwrap_or_default()
    }

    /// One of its files, for whoever serves sets that come and go.
    pub fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        match self.files.get(name) {
            Some(stored) => stored.answer(headers),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    /// Serves the files.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let set = self.clone();
        let answer = move |Path(name): Path<String>, headers: HeaderMap| async move {
            set.answer(&name, &headers)
        };
        Router::new().route(&format!("{}/{{name}}", self.base), get(answer))
    }
}

impl Stored {
    fn new(file: File) -> Self {
        let content = match file.content {
            Cow::Borrowed(content) => Bytes::from_static(content),
            Cow::Owned(content) => Bytes::from(content),
        };
        let gzip = gzip(&content).filter(|smaller| smaller.len() < content.len());
        Self {
            media_type: HeaderValue::from_static(file.media_type),
            plain: Variant::new(content),
            gzip: gzip.map(Variant::new),
        }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let (variant, encoding) = match &self.gzip {
            Some(gzip) if accepts_gzip(headers) => (gzip, Some("gzip")),
            _ => (&self.plain, None),
        };
        let known = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == variant.etag.as_bytes());
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            (StatusCode::OK, Body::from(variant.content.clone()))
        };
        let mut response = (status, body).into_response();
        let out = response.headers_mut();
        out.insert(CONTENT_TYPE, self.media_type.clone());
        out.insert(ETAG, variant.etag.clone());
        out.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        out.insert(VARY, HeaderValue::from_static("accept-encoding"));
        out.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(encoding) = encoding {
            out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

impl Variant {
    /// The tag is of these very bytes, so the compressed form has its own [RFC 9110 8.8.3.3].
    fn new(content: Bytes) -> Self {
        let digest = aws_lc_rs::digest::digest(&SHA256, &content);
        let tag = format!("\"{}\"", hex::encode(&digest.as_ref()[..16]));
        Self {
            content,
            etag: HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
        }
    }
}

fn gzip(content: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// [RFC 9110 12.5.3] A coding with weight 0 is refused by the client; `*` stands for any.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let weight_of = |wanted: &str| {
        headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                parts
                    .next()
                    .filter(|name| name.eq_ignore_ascii_case(wanted))?;
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                Some(weight.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0)))
            })
    };
    weight_of("gzip")
        .or_else(|| weight_of("*"))
        .is_some_and(|weight| weight > 0.0)
}

macro_rules! embedded {
    ($($name:literal: $media_type:expr),* $(,)?) => {
        [$(File::embedded($name, $media_type, include_bytes!(concat!("../assets/", $name)))),*]
    };
}

/// The design system's compiled style sheet, script and icons, with our few rules after them.
pub fn vendored() -> &'static Set {
    static VENDORED: LazyLock<Set> = LazyLock::new(|| {
        Set::new(embedded! {
            "app.js": JAVASCRIPT,
            "icon.svg": SVG,
            "nhsuk-frontend.min.js": JAVASCRIPT,
            "nhsuk-icon-arrow-down.svg": SVG,
            "nhsuk-icon-arrow-up-down.svg": SVG,
            "nhsuk-icon-arrow-up.svg": SVG,
            "nhsuk-icon-cross.svg": SVG,
            "nhsuk.css": CSS,
            "theme.css": CSS,
        })
    });
    &VENDORED
}

/// The script that warns before a session ends and lets the person stay, for whoever has sessions: to be put into a set of
/// their own. It looks for the dialog `session-warning`, and asks the address in its `data-stay`.
pub const SESSION_SCRIPT: File = File::embedded(
    "session.js",
    JAVASCRIPT,
    include_bytes!("../assets/session.js"),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        assert!(accepts_gzip(&accepting("br, gzip;q=0.5")));
        assert!(accepts_gzip(&accepting("*")));
        assert!(!accepts_gzip(&accepting("gzip;q=0, *")));
        assert!(!accepts_gzip(&accepting("br")));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn another_content_has_another_address() {
        let of = |content| Set::new([File::embedded("a.css", CSS, content)]).href("a.css");
        assert_eq!(of(b"one"), of(b"one"));
        assert_ne!(of(b"one"), of(b"two"));
    }
}
