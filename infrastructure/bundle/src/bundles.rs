//! The bundles of islands: which pages load what, and how much it may weigh. `app/src/bundle.rs` says which page loads which.

/// What pages of one kind load.
pub struct Bundle {
    /// The name of its files.
    pub name: &'static str,
    /// The features of `app` that it has besides `hydrate`, with commas.
    pub features: &'static str,
    /// What its script and its wasm may weigh together, brotli-compressed, in bytes.
    pub budget: u64,
}

/// All bundles. Each is a build of its own: the linker then leaves out what a page does not have, which nothing can do as
/// well afterwards.
pub const ALL: [Bundle; 4] = [
    Bundle { name: "pages", features: "", budget: 40_000 },
    Bundle { name: "run", features: "log-islands", budget: 80_000 },
    Bundle { name: "workbench", features: "log-islands,form-islands", budget: 130_000 },
    Bundle { name: "flow", features: "form-islands,flow-islands", budget: 130_000 },
];
