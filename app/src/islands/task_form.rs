//! Brings the task form to life: what is wrong is said at the fields, and keys do in the code what one expects.

use leptos::prelude::*;

/// Watches the form around it. One island for all of that: each has a price in what the browser loads.
#[island]
pub fn TaskFormWatch() -> impl IntoView {
    #[cfg(feature = "islands")]
    {
        super::field_checks::watch();
        super::code_editor::watch();
    }
}
