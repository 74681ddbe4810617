//! Splits a line of Python into pieces of one kind, knowing what the lines before it left open.

use super::words;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Names, operators, brackets and space.
    Text,
    Keyword,
    /// `True`, `None` and the like.
    Constant,
    /// A name that Python has without an import.
    Builtin,
    /// The name that `def` or `class` gives.
    Definition,
    Decorator,
    Number,
    String,
    Comment,
}

/// What is open where a line begins: nothing, or texts in quotes, and expressions in those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State(Vec<Inside>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Literal(Literal),
    /// An expression in the braces of a formatted text, with so many brackets open in it.
    Expression {
        brackets: u32,
    },
    /// What stands after its colon.
    Format,
}

/// A text in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Literal {
    quote: u8,
    is_triple: bool,
    is_raw: bool,
    is_formatted: bool,
}

impl Literal {
    /// How many bytes at the start of `rest` end it.
    fn end(self, rest: &[u8]) -> Option<usize> {
        let length = if self.is_triple { 3 } else { 1 };
        (rest.len() >= length && rest[..length].iter().all(|byte| *byte == self.quote)).then_some(length)
    }
}

/// Gives the pieces of a line, which has no line break in it, and brings the state to the line's end. The pieces, joined,
/// are the line.
pub fn read_line(line: &str, state: &mut State, give: &mut dyn FnMut(Kind, &str)) {
    let mut reader = Reader { line, at: 0, open: &mut state.0, give, is_continued: false, is_name_next: false };
    while reader.at < line.len() {
        match reader.open.last() {
            Some(Inside::Literal(literal)) => reader.read_literal(*literal),
            Some(Inside::Format) => reader.read_format(),
            Some(Inside::Expression { .. }) | None => reader.read_code(),
        }
    }
    // A text in single quotes ends with its line, unless that is said to go on. So a quote that is missing, as there
    // always is one while one types, does not change how all that follows looks.
    if !reader.is_continued
        && let Some(end) =
            state.0.iter().position(|inside| matches!(inside, Inside::Literal(Literal { is_triple: false, .. })))
    {
        state.0.truncate(end);
    }
}

struct Reader<'a> {
    line: &'a str,
    /// How much is given.
    at: usize,
    open: &'a mut Vec<Inside>,
    give: &'a mut dyn FnMut(Kind, &str),
    /// Whether the line ends with a backslash that joins the next one to it.
    is_continued: bool,
    /// Whether the next word is a name that is given here.
    is_name_next: bool,
}

impl Reader<'_> {
    /// Gives what stands before a place.
    fn give_to(&mut self, end: usize, kind: Kind) {
        if self.at < end {
            (self.give)(kind, &self.line[self.at..end]);
            self.at = end;
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.line.as_bytes().get(at).copied()
    }

    /// The end of what begins at `at` and consists of these bytes.
    fn end_of(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        self.line.as_bytes()[at..].iter().position(|byte| !belongs(*byte)).map_or(self.line.len(), |length| at + length)
    }

    fn read_literal(&mut self, literal: Literal) {
        let mut at = self.at;
        while let Some(byte) = self.byte(at) {
            match byte {
                // Raw ones too do not end at a quote after a backslash.
                b'\\' => match self.byte(at + 1) {
                    None => {
                        self.is_continued = true;
                        at += 1;
                    }
                    Some(b'{' | b'}') if literal.is_formatted => at += 1,
                    Some(b'N') if literal.is_formatted && !literal.is_raw && self.byte(at + 2) == Some(b'{') => {
                        let end = self.end_of(at, |byte| byte != b'}' && byte != literal.quote);
                        at = if self.byte(end) == Some(b'}') { end + 1 } else { end };
                    }
                    Some(_) => at += 2,
                },
                b'{' | b'}' if literal.is_formatted && self.byte(at + 1) == Some(byte) => at += 2,
                b'{' if literal.is_formatted => return self.open_expression(at),
                _ => {
                    if let Some(length) = literal.end(&self.line.as_bytes()[at..]) {
                        self.give_to(at + length, Kind::String);
                        self.open.pop();
                        return;
                    }
                    at += 1;
                }
            }
        }
        self.give_to(self.line.len(), Kind::String);
    }

    fn open_expression(&mut self, brace: usize) {
        self.give_to(brace, Kind::String);
        self.give_to(brace + 1, Kind::Text);
        self.open.push(Inside::Expression { brackets: 0 });
    }

    /// What stands after the colon of an expression: a text, which may have expressions in it.
    fn read_format(&mut self) {
        let around = self.open.iter().rev().find_map(|inside| match inside {
            Inside::Literal(literal) => Some(*literal),
            _ => None,
        });
        let mut at = self.at;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'{' => return self.open_expression(at),
                b'}' => {
                    self.give_to(at, Kind::String);
                    self.give_to(at + 1, Kind::Text);
                    self.open.pop();
                    return;
                }
                // The text around it ends, and it with that.
                _ if around.is_some_and(|literal| literal.end(&self.line.as_bytes()[at..]).is_some()) => {
                    self.give_to(at, Kind::String);
                    self.open.pop();
                    return;
                }
                _ => at += 1,
            }
        }
        self.give_to(self.line.len(), Kind::String);
    }

    fn read_code(&mut self) {
        let Some(byte) = self.byte(self.at) else {
            return;
        };
        let next = self.byte(self.at + 1);
        match byte {
            b' ' | b'\t' => {
                let end = self.end_of(self.at, |byte| matches!(byte, b' ' | b'\t'));
                return self.give_to(end, Kind::Text);
            }
            b'#' => self.give_to(self.line.len(), Kind::Comment),
            b'"' | b'\'' => self.open_literal(self.at, false, false),
            b'0'..=b'9' => self.read_number(),
            b'.' if next.is_some_and(|next| next.is_ascii_digit()) => self.read_number(),
            b'@' if self.open.is_empty() && is_blank(&self.line[..self.at]) => {
                let end = self.end_of(self.at + 1, |byte| byte == b'.' || is_of_word(byte));
                self.give_to(end, Kind::Decorator);
            }
            _ if is_of_word(byte) => return self.read_word(),
            _ => {
                if byte == b'\\' && next.is_none() {
                    self.is_continued = true;
                }
                self.step_expression(byte);
                self.give_to(self.at + 1, Kind::Text);
            }
        }
        self.is_name_next = false;
    }

    /// What a character does to the expression in a formatted text that it stands in.
    fn step_expression(&mut self, byte: u8) {
        let Some(Inside::Expression { brackets }) = self.open.last_mut() else {
            return;
        };
        match byte {
            b'(' | b'[' | b'{' => *brackets += 1,
            b'}' if *brackets == 0 => {
                self.open.pop();
            }
            b')' | b']' | b'}' => *brackets = brackets.saturating_sub(1),
            b':' if *brackets == 0 => {
                self.open.pop();
                self.open.push(Inside::Format);
            }
            _ => {}
        }
    }

    /// Begins a text whose quotes stand at `quote`, after a prefix.
    fn open_literal(&mut self, quote: usize, is_raw: bool, is_formatted: bool) {
        let Some(byte) = self.byte(quote) else {
            return;
        };
        let is_triple = self.byte(quote + 1) == Some(byte) && self.byte(quote + 2) == Some(byte);
        self.give_to(quote + if is_triple { 3 } else { 1 }, Kind::String);
        self.open.push(Inside::Literal(Literal { quote: byte, is_triple, is_raw, is_formatted }));
    }

    fn read_word(&mut self) {
        let (start, end) = (self.at, self.end_of(self.at, is_of_word));
        let word = &self.line[start..end];
        if let Some(b'"' | b'\'') = self.byte(end)
            && let Some((is_raw, is_formatted)) = literal_prefix(word)
        {
            self.is_name_next = false;
            return self.open_literal(end, is_raw, is_formatted);
        }
        let is_attribute = start > 0 && self.byte(start - 1) == Some(b'.');
        let is_first = self.open.is_empty() && is_blank(&self.line[..start]);
        let kind = if words::is_constant(word) {
            Kind::Constant
        } else if words::is_keyword(word) || (is_first && words::is_soft_keyword(word, &self.line[end..])) {
            Kind::Keyword
        } else if self.is_name_next {
            Kind::Definition
        } else if !is_attribute && words::is_builtin(word) {
            Kind::Builtin
        } else {
            Kind::Text
        };
        self.is_name_next = matches!(word, "def" | "class");
        self.give_to(end, kind);
    }

    fn read_number(&mut self) {
        let digits = |reader: &Self, at| reader.end_of(at, |byte| byte.is_ascii_digit() || byte == b'_');
        let (start, first) = (self.at, self.byte(self.at));
        if first == Some(b'0') && matches!(self.byte(start + 1), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) {
            let end = self.end_of(start + 2, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return self.give_to(end, Kind::Number);
        }
        let mut end = digits(self, start);
        if self.byte(end) == Some(b'.') {
            end = digits(self, end + 1);
        }
        if matches!(self.byte(end), Some(b'e' | b'E')) {
            let power = if matches!(self.byte(end + 1), Some(b'+' | b'-')) { end + 2 } else { end + 1 };
            if self.byte(power).is_some_and(|byte| byte.is_ascii_digit()) {
                end = digits(self, power);
            }
        }
        if matches!(self.byte(end), Some(b'j' | b'J')) {
            end += 1;
        }
        self.give_to(end, Kind::Number);
    }
}

/// Whether a byte belongs to a word. All that is not ASCII does: to know better would take large tables.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// What letters before a quote say of the text: whether it is raw, and whether it is formatted.
fn literal_prefix(word: &str) -> Option<(bool, bool)> {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    if is("b") || is("u") {
        Some((false, false))
    } else if is("r") || is("br") || is("rb") {
        Some((true, false))
    } else if is("f") || is("t") {
        Some((false, true))
    } else if is("fr") || is("rf") || is("tr") || is("rt") {
        Some((true, true))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces that have a colour, as `kind:text`.
    fn coloured(code: &str) -> Vec<String> {
        let mut state = State::default();
        let mut pieces: Vec<(Kind, String)> = Vec::new();
        for line in code.split('\n') {
            read_line(line, &mut state, &mut |kind, text| match pieces.last_mut() {
                Some((last, piece)) if *last == kind => piece.push_str(text),
                _ => pieces.push((kind, text.to_owned())),
            });
            pieces.push((Kind::Text, "\n".to_owned()));
        }
        pieces
            .into_iter()
            .filter(|(kind, _)| *kind != Kind::Text)
            .map(|(kind, text)| format!("{kind:?}:{text}"))
            .collect()
    }

    #[test]
    fn words_are_told_apart() {
        for (code, expected) in [
            ("def total(x): return sum(x)", "Keyword:def Definition:total Keyword:return Builtin:sum"),
            ("class Point: pass", "Keyword:class Definition:Point Keyword:pass"),
            ("async def go(): await x", "Keyword:async Keyword:def Definition:go Keyword:await"),
            ("x.print(len)", "Builtin:len"),
            ("if x is not None and True:", "Keyword:if Keyword:is Keyword:not Constant:None Keyword:and Constant:True"),
            ("  @app.route('/')", "Decorator:@app.route String:'/'"),
            ("a @ b", ""),
            ("raise MyError from ValueError", "Keyword:raise Keyword:from Builtin:ValueError"),
            ("défi = 'é' # ü", "String:'é' Comment:# ü"),
        ] {
            assert_eq!(coloured(code).join(" "), expected, "{code}");
        }
    }

    #[test]
    fn soft_keywords_are_words_elsewhere() {
        for (code, is_keyword) in [
            ("match command.split():", true),
            ("    case [x, y] if x > y:", true),
            ("    case _: pass", true),
            ("match (a, b):", true),
            ("match = re.match(a)", false),
            ("match.group(1)", false),
            ("case: int = 1", false),
            ("x = match", false),
            ("type Point = tuple[int, int]", true),
            ("type(x)", false),
        ] {
            let is_found = coloured(code).first().is_some_and(|first| first.starts_with("Keyword:"));
            assert_eq!(is_found, is_keyword, "{code}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        for (code, expected) in [
            ("1_000 0xFF 0b1 1.5e-3 2j .5 3.", "1_000 0xFF 0b1 1.5e-3 2j .5 3."),
            ("x1 + y2", ""),
            ("1 if x else 2", "1 2"),
            ("a[1:2]", "1 2"),
            ("1e", "1"),
        ] {
            let numbers: Vec<_> =
                coloured(code).iter().filter_map(|piece| piece.strip_prefix("Number:")).map(str::to_owned).collect();
            assert_eq!(numbers.join(" "), expected, "{code}");
        }
    }

    #[test]
    fn texts_end_where_python_ends_them() {
        for (code, expected) in [
            (r#"'a\'b' "c""#, r#"String:'a\'b' String:"c""#),
            (r"r'\' x'", r"String:r'\' x'"),
            ("Rb'x' u'y' xf'z'", "String:Rb'x' String:u'y' String:'z'"),
            ("'open\nx", "String:'open"),
            ("'on\\\nly' x", "String:'on\\ String:ly'"),
            ("'''a\n'b' # c\nd''' + 1", "String:'''a String:'b' # c String:d''' Number:1"),
            ("'' + \"\"", "String:'' String:\"\""),
            ("# 'no'", "Comment:# 'no'"),
        ] {
            assert_eq!(coloured(code).join(" "), expected, "{code}");
        }
    }

    #[test]
    fn formatted_texts_have_code_in_them() {
        for (code, expected) in [
            ("f'{x}'", "String:f' String:'"),
            ("f'{{x}} {1}'", "String:f'{{x}}  Number:1 String:'"),
            ("f'{x:>{10}.2f} b'", "String:f' String:> Number:10 String:.2f String: b'"),
            ("f'{d['a']!r}'", "String:f' String:'a' String:'"),
            ("f'{f\"{1}\"}'", "String:f' String:f\" Number:1 String:\" String:'"),
            ("f'{ {1: 2}[1] }'", "String:f' Number:1 Number:2 Number:1 String:'"),
            (r"f'\N{DASH} {1}'", r"String:f'\N{DASH}  Number:1 String:'"),
            ("f'''{\n1\n}''' 2", "String:f''' Number:1 String:''' Number:2"),
            ("f'{x:a' 1", "String:f' String:a' Number:1"),
            ("f'{x\n1", "String:f' Number:1"),
            ("'{x}'", "String:'{x}'"),
        ] {
            assert_eq!(coloured(code).join(" "), expected, "{code}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_line(lines in prop::collection::vec("[^\n]*|([rfb]?['\"]{1,3}|[{}:\\\\#@. \t(é1a]|def ){0,30}", 0..8)) {
            let mut state = State::default();
            for line in &lines {
                let mut joined = String::new();
                read_line(line, &mut state, &mut |_, text| {
                    assert!(!text.is_empty());
                    joined.push_str(text);
                });
                prop_assert_eq!(&joined, line);
            }
        }
    }
}
