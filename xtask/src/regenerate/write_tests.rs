//! Facts about replacing files together.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::*;

/// A folder of its own for each test, in the target folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/xtask-write");
    let folder = folder.join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn tree(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (
                name,
                fs::read_to_string(entry.path()).unwrap_or_else(|_| "folder".to_owned()),
            )
        })
        .collect();
    files.sort();
    files
}

/// The rename of this number fails.
struct Failing(usize);

impl Steps for Failing {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let left = self.0.checked_sub(1);
        self.0 = left.ok_or_else(|| io::Error::other("the disk is gone"))?;
        Disk.rename(from, to)
    }
}

#[test]
fn files_that_are_as_they_should_be_are_left() {
    let root = folder("left");
    fs::write(root.join("a"), "1").unwrap();
    let files = [("a", "1".to_owned()), ("b", "2".to_owned())];
    assert_eq!(stale(&root, &files), ["b"]);
    assert_eq!(replace_all(&root, &files).unwrap(), ["b"]);
    assert_eq!(
        tree(&root),
        [("a".into(), "1".into()), ("b".into(), "2".into())]
    );
}

#[test]
fn a_rename_that_fails_puts_back_those_before_it() {
    let files = ["a", "b", "c"].map(|name| (name, "new".to_owned()));
    for failing in 0..files.len() {
        let root = folder("back");
        // One that is replaced, one that is new, one that is replaced.
        fs::write(root.join("a"), "old").unwrap();
        fs::write(root.join("c"), "old").unwrap();
        let before = tree(&root);
        let refusal = replace_all_on(&mut Failing(failing), &root, &files)
            .unwrap_err()
            .to_string();
        assert!(refusal.ends_with(": the disk is gone"), "{refusal}");
        assert_eq!(tree(&root), before, "the rename {failing} failed");
    }
}

#[test]
fn a_folder_in_the_way_leaves_the_others_as_they_were() {
    let root = folder("way");
    fs::write(root.join("a"), "old").unwrap();
    fs::create_dir_all(root.join("b/c")).unwrap();
    let before = tree(&root);
    let files = ["a", "b"].map(|name| (name, "new".to_owned()));
    let refusal = replace_all(&root, &files).unwrap_err().to_string();
    assert!(refusal.starts_with("write: b: "), "{refusal}");
    assert_eq!(tree(&root), before);
}

#[test]
fn a_folder_that_is_not_there_leaves_nothing_behind() {
    let root = folder("nothing");
    fs::write(root.join("a"), "old").unwrap();
    let files = [("a", "new".to_owned()), ("no/b", "new".to_owned())];
    assert!(
        replace_all(&root, &files)
            .unwrap_err()
            .to_string()
            .starts_with("write: no/b: ")
    );
    assert_eq!(tree(&root), [("a".into(), "old".into())]);
}

/// Names the step at which this process kills itself, in the process that a test starts.
const KILL_AT: &str = "XTASK_TEST_KILL_AT";

/// The test that starts a process kills it at this step, before, in and after its effect.
struct Killed(usize);

impl Killed {
    fn step(&mut self) {
        if self.0 == 0 {
            let own = std::process::id().to_string();
            Command::new("kill").args(["-KILL", &own]).status().unwrap();
            // The signal is on its way.
            loop {
                std::thread::park();
            }
        }
        self.0 -= 1;
    }
}

impl Steps for Killed {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step();
        fs::write(path, &bytes[..bytes.len() / 2])?;
        self.step();
        Disk.write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step();
        Disk.rename(from, to)
    }
}

/// Two files of the golden copy, and the contract last.
const FILES: [&str; 3] = ["a", "b", "openapi.json"];

/// The steps that replacing [`FILES`] has: two for each write, one for each rename.
const STEPS: usize = 9;

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_at_any_step_leaves_the_contract_and_the_next_one_completes_it() {
    let new = FILES.map(|name| (name, "new".to_owned()));
    if let Some(step) = std::env::var_os(KILL_AT) {
        let step = step.to_str().unwrap().parse().unwrap();
        let root = PathBuf::from(std::env::var_os("XTASK_TEST_ROOT").unwrap());
        replace_all_on(&mut Killed(step), &root, &new).unwrap();
        return;
    }
    for step in 0..=STEPS {
        let root = folder("killed");
        for name in FILES {
            fs::write(root.join(name), "old").unwrap();
        }
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "regenerate::write::tests::a_run_that_is_killed_at_any_step_leaves_the_contract_and_the_next_one_completes_it"])
            .env(KILL_AT, step.to_string())
            .env("XTASK_TEST_ROOT", &root)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        let is_done = step == STEPS;
        assert_eq!(ended.signal(), (!is_done).then_some(9), "step {step}");
        let contract = fs::read_to_string(root.join("openapi.json")).unwrap();
        assert_eq!(contract, if is_done { "new" } else { "old" }, "step {step}");
        // Each file is the old or the new one, and a new one is never before an old one's place.
        let texts = FILES.map(|name| fs::read_to_string(root.join(name)).unwrap());
        assert!(texts.is_sorted(), "step {step}: {texts:?}");
        replace_all(&root, &new).unwrap();
        let complete = FILES.map(|name| (name.to_owned(), "new".to_owned()));
        assert_eq!(tree(&root), complete, "step {step}");
    }
}

#[test]
fn what_a_killed_run_left_is_removed_though_nothing_is_to_be_written() {
    let root = folder("swept");
    fs::write(root.join("a"), "new").unwrap();
    fs::write(root.join(".a.new"), "half").unwrap();
    let files = [("a", "new".to_owned())];
    assert_eq!(replace_all(&root, &files).unwrap(), [""; 0]);
    assert_eq!(tree(&root), [("a".into(), "new".into())]);
}

#[test]
fn what_can_be_left_is_ignored_by_git() {
    let ignored = include_str!("../../../.gitignore");
    for name in [LOCK_FOLDER, ".openapi.json.new", ".client.rs.new"] {
        let is_ignored = |line: &str| match line.split_once('*') {
            Some((start, end)) => name.starts_with(start) && name.ends_with(end),
            None => line.trim_start_matches('/') == name,
        };
        assert!(ignored.lines().any(is_ignored), "{name}");
    }
}

#[test]
fn two_runs_exclude_each_other() {
    let root = folder("lock");
    let held = lock(&root).unwrap();
    let refused = lock(&root).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    drop(held);
    lock(&root).unwrap();
}
