//! Which versions of Python tasks may choose, of all engines together.

use std::collections::BTreeMap;

use app::model::python_version::{OfferedPython, PythonVersion};
use futures::FutureExt as _;

use super::Service;

impl Service {
    /// As far as the engines know it now: nobody waits for a page.
    pub(super) fn offered_pythons(&self) -> Vec<OfferedPython> {
        let mut offered: BTreeMap<PythonVersion, Vec<&'static str>> = BTreeMap::new();
        for engine in self.dependencies.engines.iter() {
            for target in engine.targets().now_or_never().unwrap_or_default() {
                if let Some(version) = PythonVersion::of_full(&target.python) {
                    offered.entry(version).or_default().push(engine.name().0);
                }
            }
        }
        offered.into_iter().map(|(version, engines)| OfferedPython { version, engines }).collect()
    }
}
