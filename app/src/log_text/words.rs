//! What the words beneath a log say that both the server and the browser say.

/// Lines are coming.
pub const LIVE: &str = "Live: new lines appear here.";
/// The program runs and has written nothing.
pub const NO_OUTPUT_YET: &str = "No output yet.";
/// The log is complete.
pub const ENDED: &str = "End of the log.";
