// The files of the built-in catalogue, in the order in which their rules are tried.
const BUILTIN: &[(&str, &str)] = &[
    ("builtin/psycopg.toml", include_str!("builtin/psycopg.toml")),
    ("builtin/http_client.toml", include_str!("builtin/http_client.toml")),
    ("builtin/structured_client.toml", include_str!("builtin/structured_client.toml")),
    ("builtin/access_log.toml", include_str!("builtin/access_log.toml")),
    ("builtin/proxy_log.toml", include_str!("builtin/proxy_log.toml")),
    ("builtin/web_framework.toml", include_str!("builtin/web_framework.toml")),
    ("builtin/structured_server.toml", include_str!("builtin/structured_server.toml")),
];
