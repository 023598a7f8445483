// The files of the built-in catalogue, in the order in which their rules are tried.
const BUILTIN: &[(&str, &str)] = &[
    ("builtin/psycopg.toml", include_str!("builtin/psycopg.toml")),
    ("builtin/access_log.toml", include_str!("builtin/access_log.toml")),
];
