//! What the service's handlers and workers print when they fail: tracebacks as Python writes
//! them, with the file and line of each frame.

const POOL: &str = "/srv/scidex/venv/lib/python3.12/site-packages/psycopg_pool/pool.py";

/// A place in the service that needs a database connection.
pub(crate) struct Caller {
    /// The request line, for handlers; `None` for background workers.
    pub(crate) request: Option<(&'static str, &'static str)>,
    file: &'static str,
    line: u32,
    function: &'static str,
}

const fn handler(
    method: &'static str,
    path: &'static str,
    line: u32,
    function: &'static str,
) -> Caller {
    Caller { request: Some((method, path)), file: "/srv/scidex/api.py", line, function }
}

const fn worker(file: &'static str, line: u32, function: &'static str) -> Caller {
    Caller { request: None, file, line, function }
}

/// Handlers of requests that need a connection.
pub(crate) const HANDLERS: [Caller; 8] = [
    handler("GET", "/api/papers", 8_112, "list_papers"),
    handler("GET", "/api/artifacts/503", 34_652, "artifact_detail"),
    handler("GET", "/api/search?q=kinase", 12_034, "search"),
    handler("GET", "/api/entities/TP53/graph", 15_503, "entity_graph"),
    handler("POST", "/api/annotations", 20_871, "create_annotation"),
    handler("GET", "/api/hypotheses", 9_240, "list_hypotheses"),
    handler("GET", "/", 1_503, "home"),
    handler("GET", "/api/wiki/pages", 17_330, "wiki_pages"),
];

/// Background work that needs a connection.
pub(crate) const WORKERS: [Caller; 3] = [
    worker("/srv/scidex/scidex/atlas/enrich.py", 503, "run_batch"),
    worker("/srv/scidex/scidex/atlas/federated_search/engine.py", 59, "_cache_get"),
    worker("/srv/scidex/scidex/senate/scheduler.py", 214, "claim_next"),
];

impl Caller {
    /// What the logger writes when the pool `get` gives no connection in time: heading, traceback.
    pub(crate) fn pool_timeout(&self, get: &str, wrapped: bool) -> (String, String) {
        let raised = format!(
            "Traceback (most recent call last):\n{}\
             \x20 File \"/srv/scidex/api_shared/db.py\", line 212, in {get}\n    \
             with pool.connection() as conn:\n  \
             File \"{POOL}\", line 171, in connection\n    \
             conn = self.getconn(timeout=timeout)\n  \
             File \"{POOL}\", line 220, in getconn\n    \
             raise PoolTimeout(\n\
             psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec",
            self.frame(&format!("with {get}() as db:")),
        );
        let traceback = if wrapped {
            format!(
                "{raised}\n\nThe above exception was the direct cause of the following \
                 exception:\n\nTraceback (most recent call last):\n{}\
                 \x20 File \"/srv/scidex/api_shared/db.py\", line 219, in {get}\n    \
                 raise DatabaseUnavailable(str(error)) from error\n\
                 api_shared.db.DatabaseUnavailable: couldn't get a connection after 30.00 sec",
                self.frame(&format!("with {get}() as db:")),
            )
        } else {
            raised
        };
        let heading = match self.request {
            Some((method, path)) => format!("request failed: {method} {path}"),
            None => format!("job failed: {}", self.function),
        };
        (format!("ERROR:scidex.api:{heading}"), traceback)
    }

    /// A failure that is no pool timeout: the last lines of its traceback are `end`.
    pub(crate) fn other_failure(&self, statement: &str, end: &str) -> String {
        let frame = self.frame(statement);
        let function = self.function;
        format!(
            "ERROR:scidex.api:{function} failed\nTraceback (most recent call last):\n{frame}{end}"
        )
    }

    fn frame(&self, statement: &str) -> String {
        let Self { file, line, function, .. } = self;
        format!("  File \"{file}\", line {line}, in {function}\n    {statement}\n")
    }
}

/// Timeouts and refusals that are not the pool's: a statement, and how the traceback ends.
pub(crate) const OTHER_FAILURES: [(&str, &str); 6] = [
    (
        "cur.execute(query, params)",
        "psycopg.errors.QueryCanceled: canceling statement due to statement timeout",
    ),
    (
        "cur.execute(\"LOCK TABLE claims IN EXCLUSIVE MODE\")",
        "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout",
    ),
    (
        "response = session.get(url, timeout=30)",
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='export.arxiv.org', port=443): \
         Read timed out. (read timeout=30)",
    ),
    (
        "response = client.get(url)",
        "httpx.ConnectTimeout: timed out\n\nDuring handling of the above exception, another \
         exception occurred:\n\nscidex.atlas.UpstreamError: pubmed: upstream connect timeout \
         after 5030 ms",
    ),
    (
        "cur.execute(query, params)",
        "psycopg.OperationalError: consuming input failed: server closed the connection \
         unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while \
         processing the request.",
    ),
    ("value = int(item[\"year\"])", "ValueError: invalid literal for int() with base 10: '503 BC'"),
];
