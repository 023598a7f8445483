//! Row labels: the days, hours or minutes of a row as a reader of a post-mortem writes them.
