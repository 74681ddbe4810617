//! Stoker's pages, components, islands and actions, and the types that server and browser share.
//! It says what it needs of the server in `backend`; it knows of no database, no process and no cluster.

#[cfg(feature = "ssr")]
pub mod backend;
pub mod model;
#[cfg(feature = "ssr")]
pub mod page_context;
