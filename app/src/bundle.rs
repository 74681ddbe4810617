//! Which of the bundles of islands a page loads. What each is made of, and may weigh, is written where they are built
//! (`infrastructure/bundle/src/bundles.rs`).

/// The islands that pages of one kind load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundle {
    /// What every page has.
    Pages,
    /// And the live log.
    Run,
    /// And what a task's form has.
    Workbench,
    /// And what a flow's form has.
    Flow,
}

impl Bundle {
    /// The bundle for the page at a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match path[..] {
            ["tasks" | "flows", _, "runs", _] | ["flows", _, "runs", _, "steps", _] => Self::Run,
            ["tasks", _] | ["tasks", _, "edit"] => Self::Workbench,
            ["flows", "new"] | ["flows", _, "edit"] => Self::Flow,
            _ => Self::Pages,
        }
    }

    /// The name of its files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Run => "run",
            Self::Workbench => "workbench",
            Self::Flow => "flow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bundle;

    #[test]
    fn pages_load_what_they_have() {
        for (path, bundle) in [
            ("/", Bundle::Pages),
            ("/runs", Bundle::Pages),
            ("/tasks", Bundle::Pages),
            ("/flows/flow-1", Bundle::Pages),
            ("/tasks/task-1/runs/3/cancel", Bundle::Pages),
            ("/tasks/new", Bundle::Workbench),
            ("/tasks/task-1", Bundle::Workbench),
            ("/tasks/task-1/edit", Bundle::Workbench),
            ("/tasks/task-1/runs/3", Bundle::Run),
            ("/flows/flow-1/runs/3", Bundle::Run),
            ("/flows/flow-1/runs/3/steps/load", Bundle::Run),
            ("/flows/new", Bundle::Flow),
            ("/flows/flow-1/edit", Bundle::Flow),
        ] {
            assert_eq!(Bundle::of(path), bundle, "{path}");
        }
    }
}
