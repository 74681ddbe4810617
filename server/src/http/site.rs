//! The browser's part (scripts, style, icons), embedded into the binary and served from memory.
//!
//! What the bundle made is under `pkg/<hash>/`, where the hash is that of all its content: such an address never
//! changes its meaning, so browsers keep it for ever. Everything else is checked with the server each time.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

/// The folder of the bundle within the site.
const BUNDLE: &str = "pkg/";

#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Embedded;

/// A file in the forms in which it can be sent.
#[derive(Debug, Clone, Default)]
struct StaticFile {
    plain: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
    etag: String,
}

/// All files of the browser's part.
#[derive(Debug, Clone)]
pub struct Site {
    files: BTreeMap<String, StaticFile>,
    bundle_hash: String,
}

impl Site {
    /// The files embedded into this binary.
    #[must_use]
    pub fn embedded() -> Self {
        Self::from_files(Embedded::iter().filter_map(|name| {
            let file = Embedded::get(&name)?;
            Some((name.into_owned(), file.data))
        }))
    }

    /// A site of these files. `x.br` and `x.gz` are the compressed forms of `x`.
    pub fn from_files(all: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let mut contents: BTreeMap<String, Cow<'static, [u8]>> = all.into_iter().collect();
        let names: Vec<String> = contents.keys().filter(|name| !is_compressed_form(name, &contents)).cloned().collect();
        let mut files: BTreeMap<String, StaticFile> = BTreeMap::new();
        for name in names {
            let brotli = contents.remove(&format!("{name}.br")).map(bytes);
            let gzip = contents.remove(&format!("{name}.gz")).map(bytes);
            let plain = contents.remove(&name).map(bytes).unwrap_or_default();
            let etag = format!("\"{}\"", short_hash([plain.as_ref()]));
            files.insert(name, StaticFile { plain, gzip, brotli, etag });
        }
        let bundle = files.iter().filter(|(name, _)| name.starts_with(BUNDLE));
        let bundle_hash = short_hash(bundle.flat_map(|(name, file)| [name.as_bytes(), file.plain.as_ref()]));
        Self { files, bundle_hash }
    }

    /// True when the bundle is there: without it pages work, but nothing on them is live.
    #[must_use]
    pub fn has_bundle(&self) -> bool {
        self.files.keys().any(|name| name.starts_with(BUNDLE))
    }

    /// The folder that pages name: `pkg/<hash>`.
    #[must_use]
    pub fn bundle_folder(&self) -> String {
        format!("{BUNDLE}{}", self.bundle_hash)
    }

    /// The answer to a request for a file; `None` when the path names none.
    #[must_use]
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let path = path.strip_prefix('/')?;
        let hashed = path.strip_prefix(BUNDLE).and_then(|rest| rest.strip_prefix(&self.bundle_hash)?.strip_prefix('/'));
        let (name, caching) = match hashed {
            Some(file) => (format!("{BUNDLE}{file}"), "public, max-age=31536000, immutable"),
            None => (path.to_owned(), "no-cache"),
        };
        let file = self.files.get(&name)?;
        Some(file.respond(&name, caching, headers))
    }
}

fn is_compressed_form(name: &str, all: &BTreeMap<String, Cow<'static, [u8]>>) -> bool {
    [".br", ".gz"].iter().any(|ending| name.strip_suffix(ending).is_some_and(|plain| all.contains_key(plain)))
}

fn short_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).fold(String::with_capacity(16), |text, byte| format!("{text}{byte:02x}"))
}

impl StaticFile {
    fn respond(&self, name: &str, caching: &'static str, headers: &HeaderMap) -> Response {
        let (body, encoding) = self.best_form(headers);
        // Forms differ in their bytes, so they differ in their tags.
        let etag = match encoding {
            Some(encoding) => format!("{}-{encoding}\"", self.etag.trim_end_matches('"')),
            None => self.etag.clone(),
        };
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let unchanged = known.flat_map(|value| value.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == etag);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(body.clone()));
            response.headers_mut().insert(header::CONTENT_TYPE, content_type(name));
            if let Some(encoding) = encoding {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            response
        };
        let answer = response.headers_mut();
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            answer.insert(header::ETAG, etag);
        }
        response
    }

    /// The smallest form that the client understands.
    fn best_form(&self, headers: &HeaderMap) -> (&Bytes, Option<&'static str>) {
        match (&self.brotli, &self.gzip) {
            (Some(brotli), _) if accepts(headers, "br") => (brotli, Some("br")),
            (_, Some(gzip)) if accepts(headers, "gzip") => (gzip, Some("gzip")),
            _ => (&self.plain, None),
        }
    }
}

fn bytes(content: Cow<'static, [u8]>) -> Bytes {
    match content {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|choice| {
        let (name, quality) = choice.split_once(';').unwrap_or((choice, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|quality| quality.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn content_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    let text = if guess.type_() == "text" {
        format!("{}; charset=utf-8", guess.essence_str())
    } else {
        guess.essence_str().to_owned()
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        let files = [
            ("favicon.svg", "<svg/>"),
            ("pkg/app.js", "js"),
            ("pkg/app.js.br", "b"),
            ("pkg/app.js.gz", "g"),
            ("pkg/app_bg.wasm", "wasm"),
        ];
        Site::from_files(files.map(|(name, text)| (name.to_owned(), Cow::Borrowed(text.as_bytes()))))
    }

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_sent_in_the_best_form() {
        let site = site();
        let path = format!("/{}/app.js", site.bundle_folder());
        for (accepted, encoding) in [("gzip, br", Some("br")), ("br;q=0, gzip", Some("gzip")), ("identity", None)] {
            let answer = site.respond(&Method::GET, &path, &headers(&[(header::ACCEPT_ENCODING, accepted)])).unwrap();
            let header = |name| answer.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap());
            assert_eq!(header(header::CONTENT_ENCODING), encoding);
            assert_eq!(header(header::CACHE_CONTROL), Some("public, max-age=31536000, immutable"));
            assert_eq!(header(header::CONTENT_TYPE), Some("text/javascript; charset=utf-8"));
            assert_eq!(header(header::VARY), Some("accept-encoding"));
        }
    }

    #[test]
    fn other_files_are_checked_each_time() {
        let site = site();
        let first = site.respond(&Method::GET, "/favicon.svg", &HeaderMap::new()).unwrap();
        assert_eq!(first.headers()[header::CONTENT_TYPE], "image/svg+xml");
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let etag = first.headers()[header::ETAG].to_str().unwrap();
        let again = site.respond(&Method::GET, "/favicon.svg", &headers(&[(header::IF_NONE_MATCH, etag)])).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn what_is_not_there_is_not_answered() {
        let site = site();
        for path in ["/pkg/0000000000000000/app.js", "/nothing", "/../Cargo.toml", "/pkg/app.js.br", "/pkg"] {
            assert!(site.respond(&Method::GET, path, &HeaderMap::new()).is_none(), "{path}");
        }
        assert!(site.respond(&Method::POST, "/favicon.svg", &HeaderMap::new()).is_none());
    }

    #[test]
    fn another_content_is_another_folder() {
        let changed = Site::from_files([("pkg/app.js".to_owned(), Cow::Borrowed(b"other".as_slice()))]);
        assert_ne!(changed.bundle_folder(), site().bundle_folder());
        assert!(!Site::from_files([]).has_bundle());
    }
}
