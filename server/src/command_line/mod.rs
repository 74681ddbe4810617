//! The commands of `stoker` and their options. What a command does is elsewhere; here it is read, started and told.

pub mod cache;
pub mod options;
pub mod preflight;
pub mod serve;
pub mod warm;
