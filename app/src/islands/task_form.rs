//! Brings the forms of tasks and flows to life: what is wrong is said at the fields, keys do in the code what one expects,
//! and what is sent leaves one where one is.

use leptos::prelude::*;

/// Watches the form around it. One island for all of that: each has a price in what the browser loads.
#[island]
pub fn TaskFormWatch() -> impl IntoView {
    #[cfg(feature = "islands")]
    {
        super::field_checks::watch();
        super::code_editor::watch();
        super::form_keys::watch();
        #[cfg(feature = "log-islands")]
        super::workbench::watch();
    }
}
