//! Why the cluster did not do as asked, in words for people.

use std::fmt;

use kube::{Error, client::AuthError};

use crate::root_cause::root_cause;

/// What the cluster, or the way to it, refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What happened, as a sentence.
    pub what: String,
    /// What to do, as a sentence.
    pub advice: String,
}

impl Refusal {
    /// A refusal in these words.
    #[must_use]
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.what, self.advice)
    }
}

/// What to say of an error that nobody has words of their own for.
#[must_use]
pub fn explain(error: &Error) -> Refusal {
    match error {
        Error::Api(status) if status.code == 401 => Refusal::new(
            "The cluster does not accept the credentials (401).",
            "They may have expired: log in again or get a new token, and put it into the kubeconfig's user.",
        ),
        Error::Api(status) if is_used_up(error) => Refusal::new(
            format!("A quota of the namespace is used up: {}.", status.message.trim_end_matches('.')),
            "It goes on by itself when something there ends; or ask who runs the cluster for more.",
        ),
        Error::Api(status) if status.code == 403 => Refusal::new(
            format!("The account may not ask for this (403): {}.", status.message.trim_end_matches('.')),
            "Ask who runs the cluster for the permission; docs/preflight.md has the whole role.",
        ),
        Error::Api(status) if status.code == 404 => not_kubernetes(),
        Error::Api(status) => Refusal::new(
            format!("The cluster answered with {}: {}.", status.code, status.message.trim().trim_end_matches('.')),
            "Look at the API server's health (`kubectl get --raw /readyz`), and try again.",
        ),
        Error::Auth(error) => Refusal::new(
            format!("The credentials could not be had: {}.", credentials(error)),
            "Correct the kubeconfig's user: the program, token file or certificate that it names.",
        ),
        Error::SerdeError(_) | Error::FromUtf8(_) => not_kubernetes(),
        error => {
            let cause = root_cause(error);
            let fix = if cause.contains("certificate") {
                "Check the kubeconfig's certificate-authority: it must be that of this cluster."
            } else {
                "Check that the cluster runs, the server's address in the kubeconfig, the network, and HTTPS_PROXY and \
                 NO_PROXY."
            };
            Refusal::new(format!("The cluster does not answer: {cause}."), fix)
        }
    }
}

fn not_kubernetes() -> Refusal {
    Refusal::new(
        "What answers there does not speak Kubernetes.",
        "Check the server's address in the kubeconfig, and that no proxy answers in its place.",
    )
}

/// Without the login program's arguments and result, which may be secrets.
fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => format!("the kubeconfig's login program could not be started: {error}"),
        AuthError::AuthExecRun { out, .. } => {
            let words = String::from_utf8_lossy(&out.stderr);
            let words = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it gave no reason");
            format!("the kubeconfig's login program failed: {}", words.trim_end_matches('.'))
        }
        error => root_cause(error),
    }
}

/// True when the cluster itself said so, and not the way there.
#[must_use]
pub fn is_answer(error: &Error) -> bool {
    matches!(error, Error::Api(_))
}

/// True when the account may not ask.
#[must_use]
pub fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 403)
}

/// True when a quota of the namespace leaves no room for it now.
#[must_use]
pub fn is_used_up(error: &Error) -> bool {
    is_forbidden(error) && matches!(error, Error::Api(status) if status.message.contains("exceeded quota"))
}

/// True when there is no such thing.
#[must_use]
pub fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404 && status.reason == "NotFound")
}

/// True when the cluster knows no things of this kind; or not yet, since it has just been started.
#[must_use]
pub fn is_unknown_kind(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404) && !is_missing(error)
}

/// True when there is such a thing already.
#[must_use]
pub fn is_there_already(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
}

/// True when the same may succeed a little later without anybody doing anything: the cluster is away, or busy.
#[must_use]
pub fn may_pass(error: &Error) -> bool {
    match error {
        Error::Api(status) => is_used_up(error) || matches!(status.code, 409 | 429 | 500..),
        Error::SerdeError(_) | Error::FromUtf8(_) | Error::BuildRequest(_) | Error::InferConfig(_) => false,
        _ => true,
    }
}
