//! What has changed in the text area. The browser compares: of a long text, nothing is copied but what is new.

use std::ops::Range;

use js_sys::JsString;
use wasm_bindgen::JsValue;

/// What of an old text a new one has something else for, as the browser counts, and what that is.
pub(super) fn difference(old: &JsString, new: &JsString) -> (Range<usize>, String) {
    let shorter = old.length().min(new.length());
    let same = |one: JsString, other: JsString| JsValue::from(one) == JsValue::from(other);
    let prefix = most(shorter, |count| same(old.slice(0, count), new.slice(0, count)));
    let end_of = |text: &JsString, count| text.slice(text.length() - count, text.length());
    let suffix = most(shorter - prefix, |count| same(end_of(old, count), end_of(new, count)));
    let place = |units: u32| usize::try_from(units).unwrap_or_default();
    let text = new.slice(prefix, new.length() - suffix).into();
    (place(prefix)..place(old.length() - suffix), text)
}

/// The largest number up to `limit` that `holds`, as all smaller ones do.
fn most(limit: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, limit);
    while low < high {
        let middle = high - (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::most;

    #[test]
    fn the_most_is_found() {
        for limit in 0..20 {
            for largest in 0..=limit {
                assert_eq!(most(limit, |number| number <= largest), largest);
            }
        }
    }
}
