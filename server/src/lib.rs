//! The stoker server as a library, so that tests can go through its front door.

pub mod clock;
pub mod db;
pub mod hints;
pub mod resolver;
