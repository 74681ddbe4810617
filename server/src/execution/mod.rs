//! What moves runs: the supervisor starts and follows them on their engines, the recorder writes down what they do,
//! hints tell viewers that there is something new,
//! and retention removes what is old. Where steps run is in `engine`.

pub mod hints;
mod places;
pub mod plan;
pub mod recorder;
pub mod retention;
pub mod supervisor;
mod turns;
