//! What the service and its neighbour log on any day: access lines that follow the hours of the
//! day, slow requests, failures that are not the pool's. Many of them look like a 503 or a pool
//! timeout to a careless search.

use super::calendar::{Day, HOUR_US, access_log_time, days};
use super::entry::{API_LOGGER, API_STDOUT, ARTIFACTS, Entry};
use super::lifecycle::{api_is_up, api_pid};
use super::random::Random;
use super::texts::{HANDLERS, OTHER_FAILURES, WORKERS};

/// Requests that the service logs in each hour of a working day. (Successful polling is not
/// logged, as on the real host.)
const REQUESTS_BY_HOUR: [u64; 24] =
    [9, 8, 7, 7, 8, 11, 17, 27, 41, 52, 58, 60, 57, 58, 60, 58, 54, 48, 42, 36, 30, 24, 17, 12];

/// Addresses behind which callers sit, with ports that stay open: the proxy's and direct ones.
const CLIENTS: [&str; 16] = [
    "127.0.0.1:50312",
    "127.0.0.1:50351",
    "127.0.0.1:45030",
    "127.0.0.1:35036",
    "127.0.0.1:40112",
    "127.0.0.1:40118",
    "127.0.0.1:41940",
    "127.0.0.1:60503",
    "10.0.0.12:53122",
    "10.0.0.12:50322",
    "10.0.0.12:5033",
    "10.0.0.21:50398",
    "10.0.0.21:61204",
    "10.0.0.31:40503",
    "10.0.0.31:503",
    "[fd00::503]:50310",
];

/// Request lines and how they end on a good day; 503 stands in some paths.
const REQUESTS: [(&str, &str); 24] = [
    ("GET /api/papers", "200 OK"),
    ("GET /api/papers?page=2", "200 OK"),
    ("GET /api/papers?page=503", "200 OK"),
    ("GET /api/papers/PMC503112", "200 OK"),
    ("GET /api/items/503", "200 OK"),
    ("GET /api/items/503", "404 Not Found"),
    ("GET /api/items/1503", "200 OK"),
    ("GET /api/search?q=error+503", "200 OK"),
    ("GET /api/search?q=kinase", "200 OK"),
    ("GET /api/search?q=", "422 Unprocessable Entity"),
    ("GET /api/entities/TP53/graph", "200 OK"),
    ("GET /api/entities/503/graph", "200 OK"),
    ("GET /api/hypotheses", "200 OK"),
    ("GET /api/hypotheses", "304 Not Modified"),
    ("GET /", "200 OK"),
    ("GET /", "304 Not Modified"),
    ("GET /static/503.html", "200 OK"),
    ("GET /static/app.js?v=503", "304 Not Modified"),
    ("GET /readyz", "200 OK"),
    ("GET /api/wiki/pages", "200 OK"),
    ("GET /wp-login.php", "404 Not Found"),
    ("POST /api/annotations", "201 Created"),
    ("POST /api/annotations", "401 Unauthorized"),
    ("DELETE /api/annotations/503", "204 No Content"),
];

/// What the service's loggers say beside access lines: priority and message.
const REMARKS: [(u8, &str); 12] = [
    (6, "INFO:scidex.api:GET /api/papers took 503 ms"),
    (6, "INFO:scidex.api:GET /api/search took 1503 ms"),
    (6, "INFO:scidex.api:GET /api/entities/TP53/graph took 812 ms"),
    (6, "INFO:scidex.atlas.enrich:503 papers enriched in 41.7 s"),
    (6, "INFO:scidex.atlas.enrich:120 papers enriched in 9.2 s"),
    (6, "INFO:scidex.senate.scheduler:claimed job 503"),
    (6, "INFO:scidex.senate.scheduler:job 503 done, 0 timeouts"),
    (6, "INFO:scidex.db.autoscaler:primary: in_use 4 of 10, no change"),
    (4, "WARNING:scidex.atlas.federated_search:pubmed: no answer within 30 s, trying again"),
    (4, "WARNING:scidex.db.autoscaler:primary: in_use 9 of 10, growing to 12"),
    (
        4,
        "WARNING:urllib3.connectionpool:Connection pool is full, discarding connection: \
         export.arxiv.org. Connection pool size: 10",
    ),
    (6, "INFO:scidex.cache:evicted 503 entries (50312 bytes)"),
];

/// One of the service's callers.
pub(super) fn client(random: &mut Random) -> &'static str {
    random.pick::<&str>(&CLIENTS)
}

/// A day's and a night's worth of each, for every day.
pub(super) fn entries() -> Vec<Entry> {
    let mut random = Random::named("traffic");
    let mut entries = Vec::new();
    for day in days() {
        for (hour, requests) in (0..).zip(REQUESTS_BY_HOUR) {
            let requests = if day.is_weekend() { requests * 3 / 5 } else { requests };
            api_hour(&mut random, day, hour, requests, &mut entries);
            for _ in 0..=requests / 20 {
                entries.push(artifact(moment(&mut random, day, hour), &mut random));
            }
        }
    }
    entries
}

fn api_hour(random: &mut Random, day: Day, hour: u64, requests: u64, entries: &mut Vec<Entry>) {
    let service = |at_us, program, priority, message: String| {
        Entry::new(at_us, program, api_pid(at_us), priority, message)
    };
    for _ in 0..requests.max(1) {
        let at_us = moment(random, day, hour);
        if !api_is_up(at_us) {
            continue;
        }
        let (client, (request, status)) = (client(random), random.pick(&REQUESTS));
        let line = format!("INFO:     {client} - \"{request} HTTP/1.1\" {status}");
        entries.push(service(at_us, &API_STDOUT, 6, line));
        if random.one_in(8) {
            let (priority, remark) = random.pick(&REMARKS);
            entries.push(service(at_us + 733, &API_LOGGER, *priority, (*remark).to_owned()));
        }
        if random.one_in(150) {
            let (statement, end) = random.pick(&OTHER_FAILURES);
            let caller =
                if random.one_in(3) { random.pick(&WORKERS) } else { random.pick(&HANDLERS) };
            let message = caller.other_failure(statement, end);
            entries.push(service(at_us + 1_503, &API_LOGGER, 3, message));
        }
    }
}

/// The artifact store's access line, with a size in bytes: often 503 of them, never a status.
fn artifact(at_us: u64, random: &mut Random) -> Entry {
    const BYTES: [u32; 6] = [503, 503, 1_503, 5_030, 50_312, 884_213];
    let (status, bytes) = if random.one_in(9) { (304, 0) } else { (200, *random.pick(&BYTES)) };
    let blob = random.pick(&["503", "9f86d081", "a503c7e2", "e3b0c442"]);
    let time = access_log_time(at_us);
    let message = format!(
        "10.0.0.12 - - [{time}] \"GET /blobs/{blob} HTTP/1.1\" {status} {bytes} \"-\" \
         \"python-httpx/0.27\""
    );
    Entry::new(at_us, &ARTIFACTS, 1_207, 6, message)
}

/// Some moment of an hour.
fn moment(random: &mut Random, day: Day, hour: u64) -> u64 {
    day.at(hour, 0, 0) + random.between(0, HOUR_US)
}
