//! The recorder: turns what an engine tells into rows. It is the only writer of steps, checkpoints and logs.
//! It works in stages, each a plain type: `demux` parts the bytes by stream, `lines` cuts them into lines, `transcript`
//! reads markers and keeps what must survive until the next reading, `outcome` puts the end into words.

pub mod demux;
pub mod lines;
pub mod outcome;
pub mod transcript;

mod record;

pub use record::{Followed, RecordError, Recorder};
