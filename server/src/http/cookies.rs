//! Cookies: short values that the server alone reads.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of a cookie.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The header that sets a cookie for so many seconds; zero deletes it. `value` is made of letters, digits, dots and
/// hyphens.
pub fn set(name: &str, value: &str, seconds: u32) -> HeaderValue {
    header_value(&format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"))
}

/// The header that sets a cookie for pages at and beneath a path, until the browser is closed. `path` has slashes besides what
/// `value` is made of.
pub fn set_beneath(path: &str, name: &str, value: &str) -> HeaderValue {
    header_value(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax"))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
