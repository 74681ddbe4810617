//! What runs need installed: exact Python versions (the resolver), which Python, system packages from Nix, conda.
//! Installing itself is the runner's.

pub mod conda;
pub mod environments;
pub mod nix;
pub mod preparation;
pub mod pythons;
pub mod resolver;
