//! Processes, by the name of their program, from /proc.

use std::path::Path;

use procfs::process::{Process, all_processes};

use super::now::{Facts, Now, Running, Traces, base_name};
use crate::time::Timestamp;

pub(super) fn look(name: &str) -> Now {
    let processes = match all_processes() {
        Ok(processes) => processes,
        Err(error) => return Now::Unknown(format!("the processes cannot be listed: {error}")),
    };
    let own_id = i32::try_from(std::process::id()).unwrap_or(0);
    let named = processes.flatten().filter(|own| own.pid != own_id && has_name(own, name));
    let mut running: Vec<Running> = named.map(|process| describe(&process)).collect();
    running.sort_by_key(|process| process.pid);
    if !running.is_empty() {
        return Now::Present(Facts::Process(running));
    }
    if !Path::new("/proc/1").exists() {
        let why =
            "other users' processes are hidden from this user (hidepid of /proc); root sees them";
        return Now::Unknown(why.to_owned());
    }
    let looked = "no process has this name".to_owned();
    Now::Absent(Traces { looked, left: Vec::new() })
}

/// Whether the kernel's name for it, its program's or the one that it was called by is `name`.
fn has_name(process: &Process, name: &str) -> bool {
    /// The kernel keeps so many bytes.
    const COMM_BYTES: usize = 15;
    let is_comm = |comm: &str| {
        comm == name || (comm.len() == COMM_BYTES && name.as_bytes().starts_with(comm.as_bytes()))
    };
    let called = || process.cmdline().ok()?.into_iter().next();
    process.stat().is_ok_and(|stat| is_comm(&stat.comm))
        || process.exe().is_ok_and(|program| base_name(&program) == name)
        || called().is_some_and(|called| is_called(&called, name))
}

/// PostgreSQL calls itself `postgres: checkpointer`, nginx `nginx: master process`.
fn is_called(called: &str, name: &str) -> bool {
    let first = called.split(' ').next().unwrap_or(called);
    base_name(Path::new(first.trim_end_matches(':'))) == name
}

fn describe(process: &Process) -> Running {
    Running {
        pid: process.pid,
        since: process.stat().ok().and_then(|stat| started(stat.starttime)),
        program: process.exe().ok(),
    }
}

/// When a process was started that the kernel says began so many ticks after the boot.
fn started(ticks: u64) -> Option<Timestamp> {
    let boot_s = i64::try_from(procfs::boot_time_secs().ok()?).ok()?;
    let since_boot_us = ticks.checked_mul(1_000_000)? / procfs::ticks_per_second().max(1);
    let boot_us = boot_s.checked_mul(1_000_000)?;
    Timestamp::from_micros(boot_us.checked_add(i64::try_from(since_boot_us).ok()?)?)
}

/// The processes that the kernel counts for a unit: the name of the unit is the last part of
/// their control group, or above it.
pub(super) fn of_unit(unit: &str) -> Vec<i32> {
    let Ok(processes) = all_processes() else { return Vec::new() };
    let is_of_unit = |process: &Process| {
        process.cgroups().is_ok_and(|groups| {
            groups.into_iter().any(|group| group.pathname.split('/').any(|part| part == unit))
        })
    };
    let mut pids: Vec<i32> = processes.flatten().filter(is_of_unit).map(|own| own.pid).collect();
    pids.sort_unstable();
    pids
}
