//! Reads JSON bodies, addresses and numbers in them as the API's clients know it: what is missing has a default, unknown
//! fields are ignored, and each fault is named with its place.

use std::borrow::Cow;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::error::{ApiError, Fault};

/// The variable parts of an address. What is no text names nothing that is there.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| ApiError::NotFound("Not Found".to_owned()))
    }
}

/// A parameter of an address's query; when it is there several times, the last one counts.
pub fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query?).unwrap_or_default();
    pairs.into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The JSON body of a request; `None` when there is none, or it is `null`.
pub struct JsonBody(pub Option<Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(is_json);
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge("The request is larger than 4 MiB.".to_owned())
            } else {
                ApiError::Refused("The request's body did not arrive whole.".to_owned())
            }
        })?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        if !is_json {
            return Err(no_object(String::from_utf8_lossy(&bytes).into()));
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| broken(&error, &bytes))?;
        Ok(Self((!value.is_null()).then_some(value)))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn broken(error: &serde_json::Error, bytes: &[u8]) -> ApiError {
    // The position in characters from the start, as the API's clients know it.
    let lines = bytes.split(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let position = lines.map(|line| line.len() + 1).sum::<usize>() + error.column().saturating_sub(1);
    ApiError::Malformed(vec![Fault {
        kind: "json_invalid",
        place: vec!["body".into(), position.into()],
        message: "JSON decode error".into(),
        input: json!({}),
        context: Some(json!({ "error": error.to_string() })),
    }])
}

fn no_object(input: Value) -> ApiError {
    ApiError::Malformed(vec![Fault {
        kind: "model_attributes_type",
        place: vec!["body".into()],
        message: "Input should be a valid dictionary or object to extract fields from".into(),
        input,
        context: None,
    }])
}

/// The fields of an object, read one by one; faults are collected.
pub struct Fields {
    object: Map<String, Value>,
    /// Where the object is.
    place: Vec<Value>,
    faults: Vec<Fault>,
}

impl Fields {
    /// The fields of a body that is an object, or absent.
    ///
    /// # Errors
    /// When it is something else.
    pub fn of(body: JsonBody) -> Result<Self, ApiError> {
        match body.0 {
            None => Ok(Self::of_object(Map::new(), vec!["body".into()])),
            Some(Value::Object(object)) => Ok(Self::of_object(object, vec!["body".into()])),
            Some(other) => Err(no_object(other)),
        }
    }

    fn of_object(object: Map<String, Value>, place: Vec<Value>) -> Self {
        Self { object, place, faults: Vec::new() }
    }

    /// A text that must not be null; `None` when it is missing.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.object.remove(name)? {
            Value::String(text) => Some(text),
            other => self.fault(name, "string_type", "Input should be a valid string", other),
        }
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &'static str) -> Option<String> {
        self.require(name);
        self.text(name)
    }

    /// A text that may be null or missing.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        if self.object.get(name).is_some_and(Value::is_null) {
            return None;
        }
        self.text(name)
    }

    /// A text that may be null or missing, or a number that stands for one.
    pub fn text_or_number(&mut self, name: &'static str) -> Option<String> {
        if let Some(Value::Number(number)) = self.object.get(name) {
            let text = number.to_string();
            self.object.remove(name);
            return Some(text);
        }
        self.optional_text(name)
    }

    /// A truth value, also in the words that stand for one; `None` when it is missing.
    pub fn truth(&mut self, name: &'static str) -> Option<bool> {
        let value = self.object.remove(name)?;
        let word = match &value {
            Value::Bool(truth) => return Some(*truth),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.to_ascii_lowercase(),
            _ => return self.fault(name, "bool_type", "Input should be a valid boolean", value),
        };
        match word.as_str() {
            "1" | "1.0" | "true" | "t" | "yes" | "y" | "on" => Some(true),
            "0" | "0.0" | "false" | "f" | "no" | "n" | "off" => Some(false),
            _ => self.fault(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input", value),
        }
    }

    /// A whole number that may be null or missing.
    pub fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.object.remove(name).filter(|value| !value.is_null())?;
        match value.as_i64() {
            Some(number) => Some(number),
            None => self.fault(name, "int_type", "Input should be a valid integer", value),
        }
    }

    /// An object of any form, which must be there.
    pub fn required_object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        self.require(name);
        match self.object.remove(name)? {
            Value::Object(object) => Some(object),
            other => self.fault(name, "dict_type", "Input should be a valid dictionary", other),
        }
    }

    /// What is read of each object of a list, which may be null or missing. The faults in it are this object's.
    pub fn optional_list<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let values = match self.object.remove(name)? {
            Value::Null => return None,
            Value::Array(values) => values,
            other => return self.fault(name, "list_type", "Input should be a valid list", other),
        };
        let mut items = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let mut place = self.place.clone();
            place.extend([name.into(), index.into()]);
            let Value::Object(object) = value else {
                self.faults.push(Fault {
                    kind: "model_attributes_type",
                    place,
                    message: "Input should be a valid dictionary or object to extract fields from".into(),
                    input: value,
                    context: None,
                });
                continue;
            };
            let mut fields = Self::of_object(object, place);
            items.extend(read(&mut fields));
            self.faults.append(&mut fields.faults);
        }
        Some(items)
    }

    /// The same of a list that must be there.
    pub fn required_list<T>(&mut self, name: &'static str, read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.require(name);
        if self.object.get(name).is_some_and(Value::is_null) {
            let null = self.object.remove(name).unwrap_or_default();
            return self.fault(name, "list_type", "Input should be a valid list", null);
        }
        self.optional_list(name, read)
    }

    /// Says of a field that its value cannot be taken, and why.
    pub fn refuse<T>(&mut self, name: &'static str, input: impl Into<Value>, message: &str) -> Option<T> {
        self.fault(name, "value_error", format!("Value error, {message}"), input.into())
    }

    fn require(&mut self, name: &'static str) {
        if !self.object.contains_key(name) {
            let input = Value::Object(self.object.clone());
            self.fault::<()>(name, "missing", "Field required", input);
        }
    }

    fn fault<T>(
        &mut self,
        name: &'static str,
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
        input: Value,
    ) -> Option<T> {
        let place = self.place.iter().cloned().chain([name.into()]).collect();
        self.faults.push(Fault { kind, place, message: message.into(), input, context: None });
        None
    }

    /// Tells whether all fields could be read.
    ///
    /// # Errors
    /// With all faults.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::Malformed(self.faults)) }
    }
}

/// A whole number in the `path` or the `query`.
///
/// # Errors
/// When it is none.
pub fn integer(place: &'static str, name: &'static str, text: &str) -> Result<i64, ApiError> {
    text.trim().parse().map_err(|_| {
        ApiError::Malformed(vec![Fault {
            kind: "int_parsing",
            place: vec![place.into(), name.into()],
            message: "Input should be a valid integer, unable to parse string as an integer".into(),
            input: text.into(),
            context: None,
        }])
    })
}

/// Whether a body is an object.
///
/// # Errors
/// When it is not.
pub fn must_be_object(body: JsonBody) -> Result<(), ApiError> {
    let (kind, message, input) = match body.0 {
        Some(Value::Object(_)) => return Ok(()),
        Some(other) => ("dict_type", "Input should be a valid dictionary", other),
        None => ("missing", "Field required", Value::Null),
    };
    Err(ApiError::Malformed(vec![Fault {
        kind,
        place: vec!["body".into()],
        message: message.into(),
        input,
        context: None,
    }]))
}
