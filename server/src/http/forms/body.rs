//! The body of a form, in either of the two encodings that browsers use. Text that is not UTF-8 is refused, never
//! repaired: what is saved is what was sent.

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
};
use futures::StreamExt as _;
use percent_encoding::percent_decode;

use crate::http::error_page::error_page;

/// Most MiB of a form. Well above what its fields may hold, so that a field that is too long is named at the field, with
/// its text kept.
const LARGEST: usize = 4;
/// Most MiB of a form with the code of many steps.
const LARGEST_OF_FLOW: usize = 32;
/// Most bytes that are read and dropped so that a browser, which sends everything before it listens, sees the answer.
const LARGEST_HEARD: usize = 64 * 1024 * 1024;

/// The fields of a form. Line ends are LF, whatever the browser sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFields {
    values: Vec<(String, String)>,
    files: Vec<(String, UploadedFile)>,
}

/// A file that was sent with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedFile {
    /// What it is called where it comes from.
    pub name: String,
    /// What it holds.
    pub content: Vec<u8>,
}

impl UploadedFile {
    /// Its text, with line ends as LF.
    ///
    /// # Errors
    /// When it is none; in the user's words.
    pub fn text(&self) -> Result<String, String> {
        let text = std::str::from_utf8(&self.content).map_err(
            |_| "The uploaded file is not UTF-8 text. Save it as UTF-8, or paste its content, and send it again.",
        )?;
        // Some editors begin a file with a mark of its encoding.
        Ok(with_line_feeds(text.trim_start_matches('\u{feff}')))
    }
}

impl FormFields {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field, taken out; empty when it was not sent.
    pub fn take(&mut self, name: &str) -> String {
        let found = self.values.iter_mut().find(|(field, _)| field == name);
        found.map(|(_, value)| std::mem::take(value)).unwrap_or_default()
    }

    /// All values of a field, taken out.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        self.values.extract_if(.., |(field, _)| field == name).map(|(_, value)| value).collect()
    }

    /// All fields with their values, in the order in which they were sent.
    pub fn into_values(self) -> impl Iterator<Item = (String, String)> {
        self.values.into_iter()
    }

    /// The fields in which a file may have been chosen.
    pub fn file_fields(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(field, _)| field.as_str())
    }

    /// The file that was chosen in a field, taken out; `None` when none was chosen.
    pub fn take_file(&mut self, name: &str) -> Option<UploadedFile> {
        let index = self.files.iter().position(|(field, _)| field == name)?;
        Some(self.files.swap_remove(index).1).filter(|file| !(file.name.is_empty() && file.content.is_empty()))
    }
}

/// Why a form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormError {
    /// It has more than so many MiB.
    TooLarge(usize),
    /// A field is not UTF-8.
    NotText,
    /// It is in no encoding of forms, or ends too early.
    Broken,
}

impl FormError {
    /// The page that says so.
    pub fn page(&self) -> Response {
        let (status, sentence) = match self {
            Self::TooLarge(most) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The form is larger than {most} MiB, so nothing was saved. Go back (your browser keeps what you \
                     typed), shorten it, and send it again."
                ),
            ),
            Self::NotText => (
                StatusCode::BAD_REQUEST,
                "The form holds bytes that are not UTF-8 text, so nothing was saved. Go back, remove them, and send \
                 it again."
                    .to_owned(),
            ),
            Self::Broken => (
                StatusCode::BAD_REQUEST,
                "The form arrived damaged, so nothing was saved. Go back, reload the page, and send it again."
                    .to_owned(),
            ),
        };
        error_page(status, "The form was not read", &sentence)
    }
}

/// Reads the form of a request.
///
/// # Errors
/// When it is too large, damaged, or not text.
pub async fn read_form(request: Request) -> Result<(Parts, FormFields), FormError> {
    read(request, LARGEST).await
}

/// Reads the form of a request that may have the code of many steps.
///
/// # Errors
/// As [`read_form`].
pub async fn read_flow_form(request: Request) -> Result<(Parts, FormFields), FormError> {
    read(request, LARGEST_OF_FLOW).await
}

async fn read(request: Request, most: usize) -> Result<(Parts, FormFields), FormError> {
    let (parts, body) = request.into_parts();
    let content_type = content_type(&parts.headers).to_owned();
    let bytes = read_bytes(body, most).await?;
    let fields = if content_type.starts_with("multipart/form-data") {
        read_multipart(&content_type, bytes).await?
    } else if content_type.is_empty() || content_type.starts_with("application/x-www-form-urlencoded") {
        read_urlencoded(&bytes)?
    } else {
        return Err(FormError::Broken);
    };
    Ok((parts, fields))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn read_bytes(body: Body, most: usize) -> Result<Bytes, FormError> {
    let largest = most * 1024 * 1024;
    let mut stream: BodyDataStream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut heard = 0_usize;
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| FormError::Broken)?;
        heard += part.len();
        if heard <= largest {
            bytes.extend_from_slice(&part);
        } else if heard > LARGEST_HEARD {
            break;
        }
    }
    if heard > largest { Err(FormError::TooLarge(most)) } else { Ok(Bytes::from(bytes)) }
}

async fn read_multipart(content_type: &str, bytes: Bytes) -> Result<FormFields, FormError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| FormError::Broken)?;
    let whole = futures::stream::once(async move { Ok::<_, std::convert::Infallible>(bytes) });
    let mut multipart = multer::Multipart::new(whole, boundary);
    let mut fields = FormFields::default();
    while let Some(field) = multipart.next_field().await.map_err(|_| FormError::Broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let content = field.bytes().await.map_err(|_| FormError::Broken)?.into();
        if let Some(file) = file {
            fields.files.push((name, UploadedFile { name: file, content }));
        } else {
            let text = String::from_utf8(content).map_err(|_| FormError::NotText)?;
            fields.values.push((name, with_line_feeds(&text)));
        }
    }
    Ok(fields)
}

fn read_urlencoded(bytes: &[u8]) -> Result<FormFields, FormError> {
    let mut fields = FormFields::default();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (name, value) = (&pair[..equals], pair.get(equals + 1..).unwrap_or_default());
        fields.values.push((decoded(name)?, with_line_feeds(&decoded(value)?)));
    }
    Ok(fields)
}

/// Undoes the encoding of `application/x-www-form-urlencoded`. A `%` that starts no code stands for itself.
fn decoded(text: &[u8]) -> Result<String, FormError> {
    let text: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&text).collect()).map_err(|_| FormError::NotText)
}

fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, body: impl Into<Body>) -> Request {
        Request::builder().method("POST").header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
    }

    async fn read(content_type: &str, body: impl Into<Body>) -> Result<FormFields, FormError> {
        super::read_form(request(content_type, body)).await.map(|(_, fields)| fields)
    }

    #[tokio::test]
    async fn both_encodings_give_the_same_fields() {
        let plain = read(
            "application/x-www-form-urlencoded; charset=UTF-8",
            "code=a+%3D+%22%F0%9F%9A%80%22%0D%0Ab%26c&empty=&percent=5%&flag",
        );
        let plain = plain.await.unwrap();
        assert_eq!(plain.get("code"), Some("a = \"🚀\"\nb&c"));
        assert_eq!(plain.get("empty"), Some(""));
        assert_eq!(plain.get("percent"), Some("5%"));
        assert_eq!(plain.get("flag"), Some(""));
        assert_eq!(plain.get("missing"), None);
        let body = "--X\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\na = \"🚀\"\r\nb&c\r\n--X--\r\n";
        let multipart = read("multipart/form-data; boundary=X", body).await.unwrap();
        assert_eq!(multipart.get("code"), plain.get("code"));
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_refused() {
        assert_eq!(read("application/x-www-form-urlencoded", "code=%FF").await, Err(FormError::NotText));
        let body = b"--X\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n\xff\r\n--X--\r\n".to_vec();
        assert_eq!(read("multipart/form-data; boundary=X", body).await, Err(FormError::NotText));
        let file =
            b"--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\xff\r\n--X--\r\n".to_vec();
        let file = read("multipart/form-data; boundary=X", file).await.unwrap().take_file("f").unwrap();
        assert_eq!((file.name.as_str(), file.text().is_err()), ("a", true));
    }

    #[tokio::test]
    async fn damaged_and_oversized_forms_are_refused() {
        assert_eq!(read("multipart/form-data; boundary=X", "--X\r\nnonsense").await, Err(FormError::Broken));
        assert_eq!(read("multipart/form-data", "").await, Err(FormError::Broken));
        assert_eq!(read("text/plain", "code=1").await, Err(FormError::Broken));
        let long = vec![b'a'; LARGEST * 1024 * 1024 + 1];
        assert_eq!(read("application/x-www-form-urlencoded", long).await, Err(FormError::TooLarge(LARGEST)));
    }
}
