//! The engines' contract, shown on the Argo engine.

use crate::{place::Namespace, rules};

rules::tests_of_all_rules!(Namespace::new().await);
