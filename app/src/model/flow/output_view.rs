//! How an output of a step is shown on a page: by its name and by what is in it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

/// How much of a text is shown, in bytes.
const TEXT_BYTES: usize = 16 * 1024;
/// Longer JSON is not read as such, but shown as the text that it is.
const JSON_BYTES: usize = 256 * 1024;
/// How many records of a table are shown.
const ROWS: usize = 50;
/// How many of their fields are shown.
const COLUMNS: usize = 30;
/// How much of a value in a table is shown, in characters.
const CELL_CHARACTERS: usize = 200;

/// How an output is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputView {
    /// As an image, which the browser loads by itself.
    Image,
    /// As a table: it is a list of records.
    Table(Table),
    /// As JSON.
    Json(Excerpt),
    /// As text.
    Text(Excerpt),
    /// Not at all: it can only be downloaded.
    Nothing,
}

/// The beginning of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// Whether there is more.
    pub is_cut: bool,
}

/// Records as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The fields' names, as they first come up.
    pub columns: Vec<String>,
    /// The first records' values, one for each column.
    pub rows: Vec<Vec<Cell>>,
    /// How many records there are.
    pub records: usize,
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// As text.
    pub text: String,
    /// Whether it is a number.
    pub is_number: bool,
}

/// How many bytes of an output decide about its view; `None` when its name already does.
#[must_use]
pub fn bytes_to_read(name: &str) -> Option<usize> {
    // One more than is read as JSON, so that longer content can be told from content that just fits.
    (!is_image(name)).then_some(JSON_BYTES + 1)
}

/// How an output is shown, of which this is the beginning, as many bytes as [`bytes_to_read`] says.
#[must_use]
pub fn view(name: &str, beginning: &[u8]) -> OutputView {
    if is_image(name) {
        return OutputView::Image;
    }
    let Some(text) = text_of(beginning) else {
        return OutputView::Nothing;
    };
    if !is_named(name, &["json"]) || beginning.len() > JSON_BYTES {
        return OutputView::Text(excerpt(text));
    }
    if let Ok(records) = serde_json::from_str::<Vec<Record>>(text)
        && !records.is_empty()
    {
        return OutputView::Table(table(&records));
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => OutputView::Json(indented(text)),
        Err(_) => OutputView::Text(excerpt(text)),
    }
}

/// The kinds of images that every browser shows, and in which nothing runs.
fn is_image(name: &str) -> bool {
    is_named(name, &["png", "jpg", "jpeg", "gif", "webp"])
}

fn is_named(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.iter().any(|other| ending.eq_ignore_ascii_case(other)))
}

/// The bytes as text, but a character that was cut off at their end; `None` when they are something else.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

fn excerpt(text: &str) -> Excerpt {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Excerpt { text: text[..end].to_owned(), is_cut: end < text.len() }
}

/// An object with its fields in the order of the text.
struct Record(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Record;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

fn table(records: &[Record]) -> Table {
    let shown = &records[..records.len().min(ROWS)];
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in shown.iter().flat_map(|record| &record.0) {
        if columns.len() < COLUMNS && !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let value = |record: &Record, column: &String| {
        let field = record.0.iter().find(|(name, _)| name == column);
        field.map(|(_, value)| cell(value)).unwrap_or_default()
    };
    let row = |record| columns.iter().map(|column| value(record, column)).collect();
    let rows = shown.iter().map(row).collect();
    Table { columns, rows, records: records.len() }
}

fn cell(value: &Value) -> Cell {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let end = text.char_indices().nth(CELL_CHARACTERS).map(|(index, _)| index);
    let text = end.map_or_else(|| text.clone(), |end| format!("{}…", &text[..end]));
    Cell { text, is_number: value.is_number() }
}

/// Valid JSON with a line for each value. Everything in it stays as written: the order of fields, every digit.
fn indented(json: &str) -> Excerpt {
    let mut text = String::new();
    let mut depth = 0;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let mut rest = json;
    while let Some(character) = rest.chars().next() {
        if text.len() > TEXT_BYTES {
            return Excerpt { text: excerpt(&text).text, is_cut: true };
        }
        let mut length = character.len_utf8();
        match character {
            '"' => {
                length = string_length(rest);
                text.push_str(&rest[..length]);
            }
            '{' | '[' => {
                text.push(character);
                let inside = rest[1..].trim_start();
                if let Some(after) = inside.strip_prefix(['}', ']']) {
                    text.push_str(&inside[..1]);
                    length = rest.len() - after.len();
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(',');
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => text.push(other),
        }
        rest = &rest[length..];
    }
    Excerpt { text, is_cut: false }
}

/// How long the string is that a text begins with, with its quotation marks.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().enumerate().skip(1).find(|(_, byte)| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> String {
        match view("output.json", text.as_bytes()) {
            OutputView::Json(excerpt) => excerpt.text,
            other => panic!("{other:?}"),
        }
    }

    fn text(text: &str, is_cut: bool) -> OutputView {
        OutputView::Text(Excerpt { text: text.to_owned(), is_cut })
    }

    #[test]
    fn json_stays_as_written_but_for_its_lines() {
        assert_eq!(
            json(r#" {"b":1.50, "a":[1,{"x" : "{\"y\": [1, 2]}\\"},[ ],{}],"c":12345678901234567890.0} "#),
            concat!(
                "{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    {\n      \"x\": \"{\\\"y\\\": [1, 2]}\\\\\"\n    },\n",
                "    [],\n    {}\n  ],\n  \"c\": 12345678901234567890.0\n}"
            )
        );
        assert_eq!([json("null"), json("[]"), json("\"a b\""), json("[1]")], ["null", "[]", "\"a b\"", "[\n  1\n]"]);
    }

    #[test]
    fn long_json_is_cut_and_broken_json_is_text() {
        let numbers = format!("[{}1]", "1,".repeat(50_000));
        let OutputView::Json(excerpt) = view("a.json", numbers.as_bytes()) else { panic!() };
        assert!(excerpt.is_cut && excerpt.text.len() <= TEXT_BYTES);
        assert_eq!(view("a.json", b"{\"a\":"), text("{\"a\":", false));
        let long = format!("\"{}\"", "x".repeat(JSON_BYTES));
        assert_eq!(view("a.json", long.as_bytes()), text(&long[..TEXT_BYTES], true));
    }

    #[test]
    fn a_list_of_records_is_a_table() {
        let OutputView::Table(table) = view("rows.JSON", br#"[{"z":1,"a":"<b>"},{"a":null,"n":{"x":[1,2]}},{}]"#)
        else {
            panic!()
        };
        assert_eq!(table.columns, ["z", "a", "n"]);
        let texts: Vec<Vec<&str>> =
            table.rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect()).collect();
        assert_eq!(texts, [vec!["1", "<b>", ""], vec!["", "", r#"{"x":[1,2]}"#], vec!["", "", ""]]);
        assert!(table.rows[0][0].is_number && !table.rows[0][1].is_number);
        assert!(matches!(view("a.json", br#"[{"a":1},2]"#), OutputView::Json(_)));

        let many = format!("[{}{{}}]", format!(r#"{{"a":"{}"}},"#, "é".repeat(300)).repeat(99));
        let OutputView::Table(table) = view("a.json", many.as_bytes()) else { panic!() };
        assert_eq!((table.records, table.rows.len()), (100, ROWS));
        assert_eq!(table.rows[0][0].text.chars().count(), CELL_CHARACTERS + 1);
    }

    #[test]
    fn other_outputs_are_told_by_name_and_content() {
        assert_eq!(view("plot.PNG", b"anything"), OutputView::Image);
        assert_eq!((bytes_to_read("plot.webp"), bytes_to_read("a.svg")), (None, Some(JSON_BYTES + 1)));
        assert_eq!(view("drawing.svg", b"<svg/>"), text("<svg/>", false));
        assert_eq!(view("notes", "naïve".as_bytes()), text("naïve", false));
        assert_eq!(view("model.pkl", &[0x80, 4, 0xff]), OutputView::Nothing);
        assert_eq!(view("zeros", &[b'a', 0]), OutputView::Nothing);
        // The last character was cut off.
        assert_eq!(view("a.txt", &"é".as_bytes()[..1]), text("", false));
        let long = "é".repeat(TEXT_BYTES);
        assert_eq!(view("a.txt", long.as_bytes()), text(&long[..TEXT_BYTES], true));
    }

    proptest! {
        #[test]
        fn indented_json_means_the_same(value in values()) {
            let compact = value.to_string();
            let excerpt = indented(&compact);
            prop_assume!(!excerpt.is_cut);
            prop_assert_eq!(serde_json::from_str::<Value>(&excerpt.text).unwrap(), value.clone());
            prop_assert_eq!(excerpt.text, format!("{value:#}"));
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::btree_map(".{0,4}", inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }
}
