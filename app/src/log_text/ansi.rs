//! Reads the codes by which programs colour a terminal. Colours are kept; everything else is taken out.

use std::fmt::Write as _;

/// Text in one style.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    pub style: Style,
    pub text: String,
}

/// How text looks. Colours are numbers 0 to 15, since the page's styles hold exactly these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    foreground: Option<u8>,
    background: Option<u8>,
    /// The attributes that are set, a bit each.
    attributes: u8,
}

const BOLD: u8 = 1;
const DIM: u8 = 1 << 1;
const ITALIC: u8 = 1 << 2;
const UNDERLINE: u8 = 1 << 3;
const STRIKE: u8 = 1 << 4;
const INVERSE: u8 = 1 << 5;

impl Style {
    /// The classes, separated by spaces; empty for plain text.
    pub fn classes(self) -> String {
        let mut classes = String::new();
        let mut push = |class: std::fmt::Arguments<'_>| {
            if !classes.is_empty() {
                classes.push(' ');
            }
            // Writing to a `String` cannot fail.
            let _ = classes.write_fmt(class);
        };
        let is_inverse = self.attributes & INVERSE != 0;
        if is_inverse {
            push(format_args!("inverse"));
        }
        let (foreground, background) =
            if is_inverse { (self.background, self.foreground) } else { (self.foreground, self.background) };
        if let Some(colour) = foreground {
            push(format_args!("f{colour}"));
        }
        if let Some(colour) = background {
            push(format_args!("b{colour}"));
        }
        for (attribute, class) in
            [(BOLD, "bold"), (DIM, "dim"), (ITALIC, "italic"), (UNDERLINE, "underline"), (STRIKE, "strike")]
        {
            if self.attributes & attribute != 0 {
                push(format_args!("{class}"));
            }
        }
        classes
    }

    /// Applies the parameters of one `ESC [ … m`.
    fn apply(&mut self, parameters: &str) {
        let mut groups = parameters.split(';');
        while let Some(group) = groups.next() {
            let mut parts = group.split(':').map(|part| part.parse::<u16>().unwrap_or(0));
            let code = parts.next().unwrap_or(0);
            match code {
                0 => *self = Self::default(),
                1 => self.attributes |= BOLD,
                2 => self.attributes |= DIM,
                3 => self.attributes |= ITALIC,
                // `4:0` is "no underline"; `4:1` to `4:5` are kinds of it.
                4 if parts.next() == Some(0) => self.attributes &= !UNDERLINE,
                4 | 21 => self.attributes |= UNDERLINE,
                7 => self.attributes |= INVERSE,
                9 => self.attributes |= STRIKE,
                22 => self.attributes &= !(BOLD | DIM),
                23 => self.attributes &= !ITALIC,
                24 => self.attributes &= !UNDERLINE,
                27 => self.attributes &= !INVERSE,
                29 => self.attributes &= !STRIKE,
                30..=37 => self.foreground = u8::try_from(code - 30).ok(),
                90..=97 => self.foreground = u8::try_from(code - 90 + 8).ok(),
                39 => self.foreground = None,
                40..=47 => self.background = u8::try_from(code - 40).ok(),
                100..=107 => self.background = u8::try_from(code - 100 + 8).ok(),
                49 => self.background = None,
                38 | 48 | 58 => {
                    let colour = if group.contains(':') {
                        let parts: Vec<u16> = parts.collect();
                        colon_colour(&parts)
                    } else {
                        semicolon_colour(&mut groups)
                    };
                    match code {
                        38 => self.foreground = colour.or(self.foreground),
                        48 => self.background = colour.or(self.background),
                        // The colour of the underline: read, so that it is not taken for other codes, and not shown.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

/// `38:5:n`, `38:2:r:g:b` and `38:2:space:r:g:b`, without the 38.
fn colon_colour(parts: &[u16]) -> Option<u8> {
    match *parts {
        [5, colour, ..] => from_palette(colour),
        [2, _, red, green, blue, ..] | [2, red, green, blue] => nearest(red, green, blue),
        _ => None,
    }
}

/// `38;5;n` and `38;2;r;g;b`, from after the 38.
fn semicolon_colour<'a>(groups: &mut impl Iterator<Item = &'a str>) -> Option<u8> {
    let mut number = || groups.next().map(|group| group.parse::<u16>().unwrap_or(0));
    match number()? {
        5 => from_palette(number()?),
        2 => {
            let (red, green, blue) = (number()?, number()?, number()?);
            nearest(red, green, blue)
        }
        _ => None,
    }
}

/// The terminal palette's sixteen colours as most terminals show them, in red, green and blue.
const SIXTEEN: [[i32; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// One of the 256 colours, as the nearest of the sixteen.
fn from_palette(colour: u16) -> Option<u8> {
    const LEVELS: [u16; 6] = [0, 95, 135, 175, 215, 255];
    match colour {
        0..=15 => u8::try_from(colour).ok(),
        16..=231 => {
            let cube = usize::from(colour - 16);
            nearest(LEVELS[cube / 36], LEVELS[cube / 6 % 6], LEVELS[cube % 6])
        }
        232..=255 => {
            let grey = (colour - 232) * 10 + 8;
            nearest(grey, grey, grey)
        }
        _ => None,
    }
}

/// The nearest of the sixteen colours: no inline style is allowed on the page, so other colours cannot be shown.
fn nearest(red: u16, green: u16, blue: u16) -> Option<u8> {
    if red > 255 || green > 255 || blue > 255 {
        return None;
    }
    let wanted = [i32::from(red), i32::from(green), i32::from(blue)];
    let distance = |colour: &[i32; 3]| -> i32 {
        colour.iter().zip(wanted).map(|(have, want)| (have - want) * (have - want)).sum()
    };
    SIXTEEN.iter().zip(0_u8..).min_by_key(|(colour, _)| distance(colour)).map(|(_, index)| index)
}

/// Splits a line into spans. Of a progress bar, which returns to the start of the line again and again,
/// the last state is kept; cursor movements, titles and other codes are taken out.
pub fn spans(line: &str) -> Vec<Span> {
    let line = line.trim_end_matches('\r');
    let mut spans: Vec<Span> = Vec::new();
    let mut style = Style::default();
    let mut rest = line;
    loop {
        let plain = rest.find(['\u{1b}', '\u{9b}', '\r']).unwrap_or(rest.len());
        push(&mut spans, style, &rest[..plain]);
        rest = &rest[plain..];
        let Some(control) = rest.chars().next() else {
            return spans;
        };
        let after = &rest[control.len_utf8()..];
        rest = match control {
            '\r' => {
                spans.clear();
                after
            }
            '\u{9b}' => control_sequence(after, &mut style),
            _ => match after.chars().next() {
                Some('[') => control_sequence(&after[1..], &mut style),
                Some(']' | 'P' | 'X' | '^' | '_') => control_string(&after[1..]),
                _ => short_escape(after),
            },
        };
    }
}

/// By how many rows a line moves the cursor up: before its text, and after it. Programs that draw several bars at once
/// come back like this to those that they have drawn.
pub fn rows_up(line: &str) -> (usize, usize) {
    let (mut before, mut after, mut has_text) = (0, 0, false);
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        if start > 0 {
            (has_text, after) = (true, 0);
        }
        let sequence = &rest[start + 2..];
        let end = sequence.find(|character| !matches!(character, '\u{20}'..='\u{3f}')).unwrap_or(sequence.len());
        let last = sequence[end..].chars().next();
        if matches!(last, Some('A' | 'F')) {
            let rows = sequence[..end].parse().unwrap_or(1);
            *(if has_text { &mut after } else { &mut before }) += rows;
        }
        rest = &sequence[end + last.map_or(0, char::len_utf8)..];
    }
    (before, if rest.is_empty() { after } else { 0 })
}

fn push(spans: &mut Vec<Span>, style: Style, text: &str) {
    if text.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.style == style => last.text.push_str(text),
        _ => spans.push(Span { style, text: text.to_owned() }),
    }
}

/// What follows a control sequence; `text` starts after `ESC [`. Applies it when it is about colours.
fn control_sequence<'a>(text: &'a str, style: &mut Style) -> &'a str {
    let end = text.find(|character: char| !matches!(character, '\u{20}'..='\u{3f}')).unwrap_or(text.len());
    match text[end..].chars().next() {
        Some('m') => {
            // `ESC [ > … m` and the like look similar and mean other things.
            if text[..end].bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')) {
                style.apply(&text[..end]);
            }
            &text[end + 1..]
        }
        Some('\u{40}'..='\u{7e}') => &text[end + 1..],
        // Broken off: what follows is text.
        _ => &text[end..],
    }
}

/// What follows a control string such as a window title or a hyperlink; `text` starts after its opening.
fn control_string(text: &str) -> &str {
    let bell = text.find('\u{7}').map(|position| (position, 1));
    let terminator = text.find("\u{1b}\\").map(|position| (position, 2));
    match [bell, terminator].into_iter().flatten().min() {
        Some((position, length)) => &text[position + length..],
        // Never closed: a terminal would swallow the rest of the log. Here it is text.
        None => text,
    }
}

/// What follows `ESC`, some intermediate bytes, and a final byte.
fn short_escape(text: &str) -> &str {
    let end = text.find(|character: char| !matches!(character, '\u{20}'..='\u{2f}')).unwrap_or(text.len());
    match text[end..].chars().next() {
        Some('\u{30}'..='\u{7e}') => &text[end + 1..],
        _ => &text[end..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `classes|text` of each span.
    fn read(line: &str) -> Vec<String> {
        spans(line).into_iter().map(|span| format!("{}|{}", span.style.classes(), span.text)).collect()
    }

    #[test]
    fn sixteen_colours_and_attributes() {
        assert_eq!(read("\u{1b}[31mred\u{1b}[91mbright\u{1b}[39mplain"), ["f1|red", "f9|bright", "|plain"]);
        assert_eq!(
            read("\u{1b}[1;2;3;4;9mall\u{1b}[22;23;24;29mnone"),
            ["bold dim italic underline strike|all", "|none"]
        );
        assert_eq!(read("\u{1b}[42;30mx\u{1b}[49my"), ["f0 b2|x", "f0|y"]);
        assert_eq!(read("\u{1b}[4:3mcurly\u{1b}[4:0mnone"), ["underline|curly", "|none"]);
    }

    #[test]
    fn a_leading_zero_resets_and_goes_on() {
        assert_eq!(read("\u{1b}[0;36mx\u{1b}[my"), ["f6|x", "|y"]);
        assert_eq!(read("\u{1b}[31m\u{1b}[;1mx"), ["bold|x"]);
    }

    #[test]
    fn other_colours_become_the_nearest() {
        assert_eq!(read("\u{1b}[38;5;31mx"), ["f6|x"]);
        assert_eq!(read("\u{1b}[38;5;196mx"), ["f9|x"]);
        assert_eq!(read("\u{1b}[38;2;250;10;10;1mx"), ["f9 bold|x"]);
        assert_eq!(read("\u{1b}[48:2::0:0:230mx"), ["b4|x"]);
        assert_eq!(read("\u{1b}[38:2:0:0:230mx"), ["f4|x"]);
        assert_eq!(read("\u{1b}[38:5:240mx"), ["f8|x"]);
        assert_eq!(read("\u{1b}[58;5;1;3mx"), ["italic|x"]);
        assert_eq!(read("\u{1b}[38;5mx\u{1b}[38;2;999;0;0my"), ["|xy"]);
    }

    #[test]
    fn inverse_swaps() {
        assert_eq!(read("\u{1b}[7mx\u{1b}[31my\u{1b}[27mz"), ["inverse|x", "inverse b1|y", "f1|z"]);
    }

    #[test]
    fn progress_bars_keep_their_last_state() {
        assert_eq!(read("10 %\r50 %\r100 %"), ["|100 %"]);
        assert_eq!(read("\u{1b}[32m10 %\r\u{1b}[2K100 %\r\r"), ["f2|100 %"]);
    }

    #[test]
    fn rows_that_are_drawn_again_are_counted() {
        assert_eq!(rows_up("\u{1b}[2K\u{1b}[1A\u{1b}[2K\u{1b}[Aa"), (2, 0));
        assert_eq!(rows_up("a\u{1b}[A"), (0, 1));
        assert_eq!(rows_up("\u{1b}[2Aa\u{1b}[31mb\u{1b}[3Fc"), (2, 0));
        assert_eq!(rows_up("a\u{1b}[0m\u{1b}[2A\u{1b}[0m"), (0, 2));
        assert_eq!([rows_up("a"), rows_up("\u{1b}["), rows_up("\u{1b}[1;1H")], [(0, 0); 3]);
    }

    #[test]
    fn other_codes_are_taken_out() {
        assert_eq!(read("a\u{1b}[2Kb\u{1b}[1;1Hc\u{1b}[?25ld\u{1b}(Be\u{1b}7f"), ["|abcdef"]);
        assert_eq!(read("\u{1b}]0;title\u{7}a\u{1b}]8;;https://x\u{1b}\\b\u{1b}]8;;\u{1b}\\c"), ["|abc"]);
        assert_eq!(read("\u{1b}[>4;2mx\u{9b}31my"), ["|x", "f1|y"]);
    }

    #[test]
    fn broken_codes_lose_no_text() {
        assert_eq!(read("a\u{1b}"), ["|a"]);
        assert_eq!(read("a\u{1b}[31"), ["|a"]);
        assert_eq!(read("a\u{1b}]never closed"), ["|anever closed"]);
        assert_eq!(read("a\u{1b}[31ü"), ["|aü"]);
    }
}
