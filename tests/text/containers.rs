//! Logs that a container's runtime writes, which dates every line of its own.

use crate::lines::minutes;
use crate::support::ask;

#[test]
fn a_traceback_that_a_container_dates_line_by_line_is_one_entry() {
    let lines = [
        "INFO:     10.0.0.1:5 - \"GET / HTTP/1.1\" 200",
        "2026-05-06 04:49:00,123 ERROR couldn't get a connection after 30.00 sec",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f",
        "PoolTimeout: couldn't get a connection after 30.00 sec",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        "> File \"a.py\", line 2, in g",
        "RuntimeError: couldn't get a connection after 30.00 sec",
        "couldn't get a connection after 30.00 sec",
    ];
    let message = lines[1..11].join("\n");
    let cri = |line: &&str| format!("2026-05-06T04:49:00.123456789Z stderr F {line}\n");
    let docker = |line: &&str| {
        let log = serde_json::to_string(&format!("{line}\n")).unwrap();
        format!("{{\"log\":{log},\"stream\":\"stderr\",\"time\":\"2026-05-06T04:49:00.1Z\"}}\n")
    };
    let logs: [String; 2] = [lines.iter().map(cri).collect(), lines.iter().map(docker).collect()];
    for log in logs {
        let seen = ask(&log);
        assert_eq!(seen.by_minute(), minutes(&[("2026-05-06T04:49", 3)]), "{log}");
        assert_eq!(seen.messages(), [message.as_str(), lines[11]]);
    }

    // The same as `docker logs -t` prints it.
    let printed = |line: &&str| format!("2026-05-06T04:49:00.123456789Z {line}\n");
    let seen = ask(lines.iter().map(printed).collect::<String>());
    assert_eq!((seen.summary.entries, seen.events.len()), (3, 2));
    // Rust's tracing aligns its levels behind such a time.
    let tracing = "2026-05-06T04:49:00.123456789Z  INFO api: ok\n";
    assert_eq!(ask(tracing.repeat(3)).summary.entries, 3);

    // What comes between in the other stream is an entry of its own.
    let mixed = ask("\
2026-05-06T04:49:00.1Z stderr F ERROR couldn't get a connection after 30.00 sec
2026-05-06T04:49:00.1Z stdout F GET /api 503 1 ms
2026-05-06T04:49:00.1Z stderr F   File \"a.py\", line 1
");
    assert_eq!(mixed.messages().len(), 2);
    assert_eq!(mixed.messages()[1], "GET /api 503 1 ms");

    let between = ask("\
2026-05-06T04:49:00.1Z stdout P the beginning of a long line,
2026-05-06T04:49:00.1Z stderr F couldn't get a connection after 30.00 sec
2026-05-06T04:49:00.1Z stdout F  and its end
");
    assert_eq!(between.messages(), ["couldn't get a connection after 30.00 sec"]);

    let first = ask("2026-05-06T04:49:00.1Z stderr F   GET /api 503\n");
    assert_eq!(first.by_minute(), minutes(&[("2026-05-06T04:49", 1)]));
}
