//! The controls that say what a program is and how it runs, as the forms of tasks and of flows send them.

use app::model::{fields::Field, spec::TaskDraft};

/// A program of which nothing was sent yet. A box that is not ticked sends nothing.
pub fn empty() -> TaskDraft {
    TaskDraft { use_cache: false, ..TaskDraft::default() }
}

/// Takes a control's value; what is no control of a program is left.
pub fn take(program: &mut TaskDraft, control: &str, value: String) {
    if control == "use_cache" {
        program.use_cache = true;
        return;
    }
    let texts = [
        (Field::Name, &mut program.name),
        (Field::Code, &mut program.code),
        (Field::Packages, &mut program.packages),
        (Field::Requirements, &mut program.requirements),
        (Field::Python, &mut program.python),
        (Field::SystemPackages, &mut program.system_packages),
        (Field::Environment, &mut program.environment),
        (Field::Timeout, &mut program.timeout),
        (Field::CpuRequest, &mut program.cpu_request),
        (Field::CpuLimit, &mut program.cpu_limit),
        (Field::MemoryRequest, &mut program.memory_request),
        (Field::MemoryLimit, &mut program.memory_limit),
        (Field::Engine, &mut program.engine),
    ];
    if let Some((_, text)) = texts.into_iter().find(|(field, _)| field.name() == control) {
        *text = value;
    }
}
