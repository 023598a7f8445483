// The files of the built-in catalogue, in the order in which their rules are tried.
const BUILTIN: &[(&str, &str)] = &[
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
    ("builtin/access_log.toml", include_str!("builtin/access_log.toml")),
];
