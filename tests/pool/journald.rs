//! The snapshot line as `tracing-journald` sends it to the journal: the test stands where
//! journald does, in a view of the file system of its own, and reads what comes.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use ebbline_pool::{Config, Pools};
use tracing_subscriber::layer::SubscriberExt;

const NAME: &str = "journald::the_journal_gets_the_line_and_its_values_as_fields";

/// Set in the process that has the view.
const INSIDE: &str = "EBBLINE_TEST_IN_OWN_VIEW";

/// `/run` is empty in the view, but for the folder in which journald listens.
const VIEW: &str = r#"
    set -e
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/journal
    exec "$0" --exact "$1" --nocapture"#;

#[test]
fn the_journal_gets_the_line_and_its_values_as_fields() {
    if std::env::var_os(INSIDE).is_some() {
        return in_the_view();
    }
    let mut unshare = Command::new("unshare");
    if !is_root() {
        unshare.arg("--map-root-user");
    }
    let view = unshare
        .args(["--mount", "sh", "-c", VIEW])
        .arg(std::env::current_exe().unwrap())
        .arg(NAME)
        .env(INSIDE, "1")
        .output()
        .unwrap_or_else(|error| panic!("{error}: install util-linux"));
    let said = String::from_utf8_lossy(&view.stdout);
    assert!(view.status.success() && said.contains("1 passed"), "{said}{view:?}");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn in_the_view() {
    let journal = UnixDatagram::bind("/run/systemd/journal/socket").unwrap();
    journal.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let layer = tracing_journald::layer().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _subscriber = tracing::subscriber::set_default(subscriber);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pools = runtime.block_on(async {
        // Nothing is asked of the server.
        Pools::new(&Config::new("postgres://nobody@127.0.0.1:1/none".parse().unwrap())).unwrap()
    });
    pools.start_pool_logger().unwrap();
    let line = pools.stats().snapshot().unwrap().to_string();
    pools.stop_pool_logger();

    let fields = loop {
        let mut datagram = vec![0; 64 * 1024];
        let length = journal.recv(&mut datagram).unwrap();
        let fields = fields(&datagram[..length]);
        if fields.get("TARGET").is_some_and(|target| target == "ebbline_pool::snapshot") {
            break fields;
        }
    };
    assert_eq!(fields["MESSAGE"], line);
    // Level INFO of `tracing` is 5, notice, there.
    assert_eq!(fields["PRIORITY"], "5");
    for (key, value) in line.split(' ').filter_map(|pair| pair.split_once('=')) {
        let field = format!("F_POOL_{}", key.replace('.', "_").to_uppercase());
        assert_eq!(fields.get(&field).map(String::as_str), Some(value), "{field}");
    }
}

/// The fields of a datagram in journald's native protocol: `NAME=value` and a line break, or the
/// name, a line break, the value's length in 8 bytes, the value and a line break.
fn fields(datagram: &[u8]) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (mut fields, mut rest) = (BTreeMap::new(), datagram);
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b'\n')) {
        let name = text(&rest[..end]);
        let (value, after) = if rest[end] == b'=' {
            let value = &rest[end + 1..];
            value.split_at(value.iter().position(|byte| *byte == b'\n').unwrap())
        } else {
            let (length, value) = rest[end + 1..].split_first_chunk::<8>().unwrap();
            value.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap())
        };
        fields.insert(name, text(value));
        rest = &after[1..];
    }
    fields
}
