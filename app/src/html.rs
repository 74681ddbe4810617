//! HTML that is written by hand: where no view does it, or where views would take most of a page's time.

#[cfg(any(feature = "ssr", feature = "flow-islands"))]
use std::fmt::{self, Display, Write as _};

#[cfg(feature = "ssr")]
use leptos::{
    prelude::{AnyView, IntoAny as _},
    tachys::html::InertElement,
};

/// Appends text to HTML, so that it is the same text in an element or in a quoted attribute.
pub fn escape_into(html: &mut String, text: &str) {
    let mut plain_from = 0;
    for (position, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        html.push_str(&text[plain_from..position]);
        html.push_str(escaped);
        plain_from = position + 1;
    }
    html.push_str(&text[plain_from..]);
}

/// The HTML of a text.
#[cfg(feature = "ssr")]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut html, text);
    html
}

/// HTML as it grows: markup that stands in the program, and values, which are escaped. Nothing else gets in.
#[cfg(any(feature = "ssr", feature = "flow-islands"))]
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Html(String);

#[cfg(any(feature = "ssr", feature = "flow-islands"))]
impl Html {
    /// Empty, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends a text, in an element or in a quoted attribute.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.0, text);
        self
    }

    /// Appends a value as its text, in an element or in a quoted attribute.
    pub fn value(&mut self, value: impl Display) -> &mut Self {
        // Writing to a `String` cannot fail.
        let _ = write!(Escaping(&mut self.0), "{value}");
        self
    }

    /// The HTML, for `inner_html`.
    pub fn into_string(self) -> String {
        self.0
    }

    /// A view of it; it must be one whole element.
    #[cfg(feature = "ssr")]
    pub fn into_element(self) -> AnyView {
        InertElement::new(self.0).into_any()
    }
}

/// Escapes what is written to it.
#[cfg(any(feature = "ssr", feature = "flow-islands"))]
struct Escaping<'a>(&'a mut String);

#[cfg(any(feature = "ssr", feature = "flow-islands"))]
impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape_into(self.0, text);
        Ok(())
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_writes_markup() {
        let mut html = Html::default();
        html.markup("<b title=\"").text("\"'é<").markup("\">").value(format_args!("{}&{}", '<', 7)).markup("</b>");
        assert_eq!(html.into_string(), "<b title=\"&quot;&#39;é&lt;\">&lt;&amp;7</b>");
    }
}
