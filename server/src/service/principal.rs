//! Who asks something of the service.

/// Who asks. The one place that decides what each may do is where HTTP is given the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// Somebody on this machine: may do everything.
    Local,
}
