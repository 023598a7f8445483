//! Column headings of classes.

use std::borrow::Cow;

use crate::rules::{HTTP_503, POOL_TIMEOUT, UPSTREAM_503};

/// What a table for people calls the events of a class.
pub fn heading(class: &str) -> Cow<'static, str> {
    match class {
        POOL_TIMEOUT => "pool timeouts".into(),
        HTTP_503 => "503 responses".into(),
        UPSTREAM_503 => "upstream 503s".into(),
        other => other.replace('_', " ").into(),
    }
}
