//! The stoker server as a library, so that tests can go through its front door.

pub mod clock;
pub mod db;
pub mod engine;
pub mod environments;
pub mod hints;
pub mod recorder;
pub mod resolver;
pub mod runner;
pub mod supervisor;
