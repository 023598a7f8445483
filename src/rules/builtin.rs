//! The files of the built-in catalogue, compiled into the program.

/// Name and content of each file, in the order in which the rules of a class are tried.
pub(super) const BUILTIN: &[(&str, &str)] = &[
    ("builtin/pool_python.toml", include_str!("builtin/pool_python.toml")),
    ("builtin/pool_jdbc.toml", include_str!("builtin/pool_jdbc.toml")),
    ("builtin/pool_java_servers.toml", include_str!("builtin/pool_java_servers.toml")),
    ("builtin/pool_dotnet.toml", include_str!("builtin/pool_dotnet.toml")),
    ("builtin/pool_node.toml", include_str!("builtin/pool_node.toml")),
    ("builtin/pool_ruby.toml", include_str!("builtin/pool_ruby.toml")),
    ("builtin/pool_elixir.toml", include_str!("builtin/pool_elixir.toml")),
    ("builtin/pool_rust.toml", include_str!("builtin/pool_rust.toml")),
    ("builtin/pool_proxies.toml", include_str!("builtin/pool_proxies.toml")),
    ("builtin/pool_redis.toml", include_str!("builtin/pool_redis.toml")),
    ("builtin/pool_mongodb.toml", include_str!("builtin/pool_mongodb.toml")),
    ("builtin/pool_postgresql.toml", include_str!("builtin/pool_postgresql.toml")),
    ("builtin/pool_mysql.toml", include_str!("builtin/pool_mysql.toml")),
    ("builtin/pool_databases.toml", include_str!("builtin/pool_databases.toml")),
    ("builtin/pool_any.toml", include_str!("builtin/pool_any.toml")),
    ("builtin/http_client.toml", include_str!("builtin/http_client.toml")),
    ("builtin/structured_client.toml", include_str!("builtin/structured_client.toml")),
    ("builtin/access_log.toml", include_str!("builtin/access_log.toml")),
    ("builtin/proxy_log.toml", include_str!("builtin/proxy_log.toml")),
    ("builtin/web_framework.toml", include_str!("builtin/web_framework.toml")),
    ("builtin/structured_server.toml", include_str!("builtin/structured_server.toml")),
];

/// Name and content of each file of pool snapshots: most rules for one program, then what any
/// program may print.
pub(super) const SNAPSHOTS: &[(&str, &str)] = &[
    ("builtin/snapshot_ebbline.toml", include_str!("builtin/snapshot_ebbline.toml")),
    ("builtin/snapshot_jvm.toml", include_str!("builtin/snapshot_jvm.toml")),
    ("builtin/snapshot_python.toml", include_str!("builtin/snapshot_python.toml")),
    ("builtin/snapshot_go.toml", include_str!("builtin/snapshot_go.toml")),
    ("builtin/snapshot_rust.toml", include_str!("builtin/snapshot_rust.toml")),
    ("builtin/snapshot_node.toml", include_str!("builtin/snapshot_node.toml")),
    ("builtin/snapshot_ruby.toml", include_str!("builtin/snapshot_ruby.toml")),
    ("builtin/snapshot_other.toml", include_str!("builtin/snapshot_other.toml")),
    ("builtin/snapshot_proxies.toml", include_str!("builtin/snapshot_proxies.toml")),
    ("builtin/snapshot_metrics.toml", include_str!("builtin/snapshot_metrics.toml")),
    ("builtin/snapshot_any.toml", include_str!("builtin/snapshot_any.toml")),
];
