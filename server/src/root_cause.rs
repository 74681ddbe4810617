//! Why something failed, at the bottom of it.

use std::error::Error;

/// The last of an error's causes: the others only say that something went wrong.
#[must_use]
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
