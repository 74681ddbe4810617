//! Values of options as people write them: times, sizes, addresses. Each parser's error says what to enter instead.

use std::{net::SocketAddr, time::Duration};

use app::model::spec::Timeout;

/// A length of time in hours, days or weeks: `12h`, `30d`, `2w`.
pub fn age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let seconds = match text.as_bytes().last() {
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        Some(b'w') => 7 * 86_400,
        _ => 0,
    };
    let number: Option<u64> = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse().ok());
    number
        .and_then(|number| number.checked_mul(seconds))
        .filter(|_| seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(|| "enter a whole number of hours, days or weeks, such as 12h, 30d or 2w".to_owned())
}

/// A run's time limit in seconds.
pub fn timeout(text: &str) -> Result<Timeout, String> {
    match Timeout::parse(text) {
        Ok(Some(timeout)) => Ok(timeout),
        Ok(None) => Err("enter a number of seconds".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Below this, Python itself does not start.
const LEAST_MEMORY: u64 = 64 << 20;

/// A number of bytes that a program can live with.
pub fn memory(text: &str) -> Result<u64, String> {
    let bytes = bytes(text)?;
    if bytes < LEAST_MEMORY { Err("Python needs more: enter at least 64M".to_owned()) } else { Ok(bytes) }
}

/// An address that can be fetched.
pub fn url(text: &str) -> Result<String, String> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Ok(text.to_owned()),
        _ => Err("enter an address that begins with https://, http:// or file://".to_owned()),
    }
}

/// An address of a package index; a name may stand before it, as in uv's own settings.
pub fn index_url(text: &str) -> Result<String, String> {
    let address = match text.split_once('=') {
        Some((name, address)) if !name.contains(['/', ':']) => address,
        _ => text,
    };
    url(address).map(|_| text.to_owned())
}

/// 64 hexadecimal digits.
pub fn sha256(text: &str) -> Result<String, String> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("enter the 64 hexadecimal digits of a SHA-256".to_owned())
    }
}

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, or a port alone.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let parsed = match host {
        "" | "localhost" => port.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port))),
        _ => text.parse().ok(),
    };
    parsed.ok_or_else(|| "enter an address and a port, such as 127.0.0.1:3000, [::1]:3000 or localhost:3000".to_owned())
}

/// A number of bytes: `1048576`, `1024K`, `1M`.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1 << 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 1 << 30),
        Some(b't' | b'T') => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "enter a whole number above 0, such as 1048576, 512M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_unit() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        assert_eq!([age("12h"), age("30d"), age(" 2w ")], [hours(12), hours(720), hours(336)]);
        assert_eq!(age("0d"), Ok(Duration::ZERO));
        for wrong in ["", "d", "30", "30m", "-1d", "1.5d", "30 d", "ä", "99999999999999999999d", "9999999999999999w"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, expected) in [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("localhost:4557", "127.0.0.1:4557"),
            ("4557", "127.0.0.1:4557"),
            (":4557", "127.0.0.1:4557"),
            ("[::1]:80", "[::1]:80"),
            ("0.0.0.0:1", "0.0.0.0:1"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(expected.to_owned()));
        }
        for wrong in ["", "localhost", "70000", "host:1", "127.0.0.1", "::1"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        for right in ["https://h/simple/", "http://u:p@h:1/s", "ours=https://h/simple", "file:///srv/index"] {
            assert_eq!(index_url(right).as_deref(), Ok(right));
        }
        for wrong in ["not a url", "h/simple", "ftp://h", "/srv/index"] {
            assert!(index_url(wrong).is_err(), "{wrong}");
        }
        assert!(sha256("zz").is_err() && sha256(&"aB".repeat(32)).is_ok());
    }

    #[test]
    fn sizes_may_have_a_unit() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        assert_eq!(bytes("5T"), Ok(5 << 40));
        assert!(memory("1K").is_err());
        assert_eq!(memory("64M"), Ok(64 << 20));
        for wrong in ["", "0", "M", "-1", "1.5G", "99999999999G"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
