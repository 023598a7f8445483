//! What this machine says now: real sockets, files and processes of the test.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::{document, probe, quiet_log};
use crate::harness::{Folder, Run};

#[test]
fn a_port_is_present_while_something_listens_and_absent_afterwards() {
    let folder = Folder::new();
    let log = quiet_log(&folder);
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let words = ["--port", &port.to_string(), log];

    let found = probe(&folder, 0, &words);
    let finding = &found["findings"][0];
    assert_eq!(finding["verdict"], "present");
    let listeners = finding["now"]["listeners"].as_array().unwrap();
    let protocols: Vec<&str> =
        listeners.iter().map(|own| own["protocol"].as_str().unwrap()).collect();
    assert_eq!(protocols, ["tcp", "udp"]);
    for listener in listeners {
        assert_eq!(listener["address"], format!("127.0.0.1:{port}"));
        assert_eq!(listener["pid"], std::process::id());
    }
    drop((tcp, udp));
    let gone = probe(&folder, 3, &words);
    assert_eq!(gone["findings"][0]["verdict"], "never");
    assert_eq!(gone["findings"][0]["now"]["state"], "absent");
}

#[test]
fn a_connection_from_a_port_is_no_listener() {
    let folder = Folder::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let port = client.local_addr().unwrap().port().to_string();
    let found = probe(&folder, 3, &["--port", &port, quiet_log(&folder)]);
    assert_eq!(found["findings"][0]["now"]["state"], "absent");
}

#[test]
fn a_path_is_told_with_what_is_there_or_how_far_its_way_leads() {
    let folder = Folder::new();
    let log = quiet_log(&folder);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    symlink("gone", folder.path().join("dangling")).unwrap();
    symlink("data", folder.path().join("link")).unwrap();
    let base = folder.path().canonicalize().unwrap();
    let now = |code, path: &str| {
        probe(&folder, code, &["--path", path, log])["findings"][0]["now"].clone()
    };
    let data = now(0, "data/");
    assert_eq!((&data["state"], &data["type"]), (&"present".into(), &"directory".into()));
    assert_eq!(data["leads_to"], serde_json::Value::Null);
    assert_eq!(now(0, "link")["leads_to"], base.join("data").to_str().unwrap());
    assert_eq!(now(0, "/proc")["is_mount_point"], true);
    let dangling = now(3, "dangling");
    assert_eq!(dangling["left"][0], base.join("dangling").to_str().unwrap());
    let missing = now(3, "data/a/b");
    let looked = missing["looked"].as_str().unwrap();
    assert!(looked.ends_with(&format!("only {} exists", base.join("data").display())), "{looked}");
    assert_eq!(now(3, "quiet.log/x")["state"], "absent");
}

#[test]
fn without_permission_nothing_can_be_told_and_the_reason_is_given() {
    let folder = Folder::new();
    folder.write("secret/file", "");
    quiet_log(&folder);
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder.path(), mode(0o755)).unwrap();
    std::fs::set_permissions(folder.path().join("secret"), mode(0o000)).unwrap();
    let mut command =
        folder.command(&["probe", "-o", "json", "--path", "secret/file", "quiet.log"]);
    if std::fs::read_dir(folder.path().join("secret")).is_ok() {
        // Root looks everywhere; nobody does not.
        command.uid(65534).gid(65534);
    }
    let run = Run::from(command.output().unwrap());
    std::fs::set_permissions(folder.path().join("secret"), mode(0o755)).unwrap();
    let finding = &document(&run, 1)["findings"][0];
    assert_eq!(finding["verdict"], "cannot_tell");
    assert!(finding["now"]["why"].as_str().unwrap().contains("no permission"), "{finding}");
}

#[test]
fn a_process_is_known_by_its_programs_name() {
    let folder = Folder::new();
    let log = quiet_log(&folder);
    // Longer than what the kernel keeps of a name.
    let name = "ebbline-test-sleeper";
    let program = folder.path().join(name);
    let sleep = Command::new("sh").args(["-c", "command -v sleep"]).output().unwrap();
    std::fs::copy(String::from_utf8(sleep.stdout).unwrap().trim(), &program).unwrap();
    let mut child = Command::new(&program).arg("60").stdout(Stdio::null()).spawn().unwrap();
    let running = folder.run(&["probe", "-o", "json", "--process", name, log]);
    child.kill().unwrap();
    child.wait().unwrap();
    let finding = &document(&running, 0)["findings"][0];
    assert_eq!(finding["verdict"], "present");
    assert_eq!(finding["now"]["processes"][0]["pid"], child.id());
    let gone = probe(&folder, 3, &["--process", name, log]);
    assert_eq!(gone["findings"][0]["verdict"], "never");
}

#[test]
fn several_things_are_answered_in_their_order_each_once() {
    let folder = Folder::new();
    let log = quiet_log(&folder);
    let words = ["--path", "/", "--path", "/.", "--unit", "no-such-x", "--port", "1", log];
    let document = probe(&folder, 3, &words);
    let findings = document["findings"].as_array().unwrap();
    let names: Vec<&str> = findings.iter().map(|own| own["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["no-such-x.service", "1", "/"]);
}
