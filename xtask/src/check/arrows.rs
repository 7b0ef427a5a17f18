//! Checks that imports between the files of a crate go down its layers, and in no circle inside a
//! folder. The layers are in `layers`.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Parsed};
use super::layers::{LAYERS, Layers};
use super::modules::{Arrow, Modules};

const UP: &str = "move the item down to the layer that needs it, or the code that names it up";
const CIRCLE: &str =
    "move what both need into a file of its own that names neither, or make one file of them";
const NO_LAYER: &str = "add it to the layers in xtask/src/check/layers.rs, or move it into one";
const NO_FILE: &str = "take it off the layers in xtask/src/check/layers.rs";

/// Arrows between the entries of one folder, the first of each pair.
type Edges<'m, 'a> = BTreeMap<(&'m str, &'m str), Arrow<'m, 'a>>;

/// Checks every crate that is there.
pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for layers in &LAYERS {
        let root = format!("{}/lib.rs", layers.folder);
        if files.iter().any(|parsed| parsed.file.path == root) {
            findings.extend(of_crate(files, layers));
        }
    }
    findings
}

/// Checks one crate.
fn of_crate(files: &[Parsed<'_>], layers: &Layers) -> Vec<Finding> {
    let modules = Modules::new(files, layers.folder);
    let mut findings = known(&modules, layers);
    let mut folders: BTreeMap<Vec<&str>, Edges<'_, '_>> = BTreeMap::new();
    // One finding for two files is enough.
    let mut ups = BTreeSet::new();
    for arrow in modules.arrows() {
        let (from, to) = (arrow.from.place(), arrow.to.place());
        let pairs = from.iter().zip(&to);
        let common = pairs.take_while(|(from, to)| from == to).count();
        let (Some(&above), Some(&below)) = (from.get(common), to.get(common)) else {
            continue;
        };
        let levels = layers.level(below).zip(layers.level(above));
        if common > 0 || levels.is_some_and(|(below, above)| below == above) {
            let folder = from.into_iter().take(common).collect();
            let edges = folders.entry(folder).or_default();
            edges.entry((above, below)).or_insert(arrow);
        } else if levels.is_some_and(|(below, above)| below > above) && ups.insert((from, to)) {
            findings.push(finding(&arrow, &format!("up, from {above} to {below}"), UP));
        }
    }
    for (folder, edges) in folders {
        for ((from, to), arrow) in &edges {
            if let Some(way) = way(&edges, to, from) {
                let circle = format!(
                    "in a circle in {}/{}: {from}, {}",
                    layers.folder,
                    folder.join("/"),
                    way.join(", ")
                );
                findings.push(finding(arrow, &circle, CIRCLE));
            }
        }
    }
    findings
}

/// Checks that the files and the layers know each other.
fn known(modules: &Modules<'_>, layers: &Layers) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for module in modules.iter() {
        let place = module.place();
        let top = place.first().copied().unwrap_or_default();
        if seen.insert(top.to_owned()) && layers.level(top).is_none() {
            findings.push(
                module
                    .parsed
                    .finding(1, format!("{top} is in no layer"), NO_LAYER),
            );
        }
    }
    for name in layers.names().filter(|name| !seen.contains(*name)) {
        findings.push(Finding {
            path: format!("{}/{name}", layers.folder),
            line: 1,
            what: format!("the layer {name} is not there"),
            remedy: NO_FILE,
        });
    }
    findings
}

fn finding(arrow: &Arrow<'_, '_>, way: &str, remedy: &'static str) -> Finding {
    let (name, to) = (arrow.name, &arrow.to.parsed.file.path);
    let what = format!("-> {to}: `{name}` leads {way}");
    arrow.from.parsed.finding(arrow.line, what, remedy)
}

/// Finds a path along the edges, and returns its entries.
fn way<'m>(edges: &Edges<'m, '_>, from: &'m str, to: &str) -> Option<Vec<&'m str>> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    while let Some(way) = ways.pop() {
        let last = way.last().copied()?;
        if last == to {
            return Some(way);
        }
        for (_, next) in edges.keys().filter(|(from, _)| *from == last) {
            if seen.insert(next) {
                ways.push([&way[..], &[*next]].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::finding::tree;
    use super::*;

    const CRATE: Layers = Layers {
        folder: "a/src",
        rows: "\
ground      what all need
left right  two beside each other
top         all
",
    };

    /// Checks a crate; layers that the test does not write get a file without imports.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut all = vec![("lib.rs", "mod ground; mod left; mod right; mod top;")];
        all.extend(["ground.rs", "left.rs", "right.rs", "top.rs"].map(|name| (name, "fn a() {}")));
        all.retain(|(name, _)| !files.iter().any(|(other, _)| other == name));
        all.extend(files);
        let paths: Vec<_> = all
            .iter()
            .map(|(name, text)| (format!("a/src/{name}"), *text))
            .collect();
        let paths: Vec<_> = paths
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let sources = tree(&paths);
        let parsed: Vec<_> = sources
            .iter()
            .map(|file| Parsed::read(file).unwrap())
            .collect();
        let found = of_crate(&parsed, &CRATE).into_iter();
        found
            .map(|found| {
                format!(
                    "{}:{} {}",
                    found.path.replacen("a/src/", "", 1),
                    found.line,
                    found.what
                )
            })
            .collect()
    }

    #[test]
    fn earlier_layers_and_the_own_one_may_be_named() {
        let top = "use crate::left::B;\nfn a() -> crate::ground::C { super::right::d() }";
        assert_eq!(
            found(&[("top.rs", top), ("left.rs", "use crate::ground::C;")]),
            [""; 0]
        );
    }

    #[test]
    fn an_arrow_up_is_found_wherever_it_is_written() {
        for (line, text) in [
            (1, "use crate::top::B;"),
            (1, "use super::{top::{B, C}};"),
            (2, "\nfn a(b: crate::top::B) {}"),
            (2, "fn a() {\n    vec![crate::top::B::new()]\n}"),
            (
                3,
                "mod b {\n    fn c() {\n        super::super::top::B }\n}",
            ),
        ] {
            let found = found(&[("ground.rs", text)]);
            let start = format!("ground.rs:{line} -> a/src/top.rs: `");
            assert!(found[0].starts_with(&start), "{text}: {found:?}");
            assert!(
                found[0].ends_with("` leads up, from ground to top"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn two_files_are_reported_once_and_a_file_without_a_layer_for_that_alone() {
        let lib = (
            "lib.rs",
            "mod ground; mod left; mod right; mod top; mod other;",
        );
        let ground = (
            "ground.rs",
            "use crate::top::A;\nfn a() { crate::top::b() }",
        );
        let other = ("other.rs", "use crate::top::A;");
        assert_eq!(
            found(&[lib, ground, other]),
            [
                "other.rs:1 other is in no layer",
                "ground.rs:1 -> a/src/top.rs: `crate::top::A` leads up, from ground to top",
            ]
        );
    }

    #[test]
    fn tests_and_other_crates_are_free() {
        let text = "use top::A;\nfn a() {}\n#[cfg(test)]\nmod tests {\n    use crate::top::B;\n}\n\
                    #[cfg(test)]\n#[path = \"ground_tests.rs\"]\nmod more;\n";
        let tests = ("ground_tests.rs", "use crate::top::B;");
        assert_eq!(found(&[("ground.rs", text), tests]), [""; 0]);
    }

    #[test]
    fn a_circle_of_two_files_is_found_in_a_layer_and_in_a_folder() {
        let files = [
            ("left.rs", "use crate::right::A;"),
            ("right.rs", "use crate::left::B;"),
        ];
        assert_eq!(
            found(&files),
            [
                "left.rs:1 -> a/src/right.rs: `crate::right::A` leads in a circle in a/src/: left, right, left",
                "right.rs:1 -> a/src/left.rs: `crate::left::B` leads in a circle in a/src/: right, left, right",
            ]
        );
        let files = [
            ("top.rs", "mod b;\nmod c;\nmod d;"),
            ("top/b.rs", "use super::c::C;"),
            ("top/c.rs", "use super::d::D;"),
            ("top/d.rs", "use super::b::B;"),
        ];
        let found = found(&files);
        assert_eq!(found.len(), 3);
        assert_eq!(
            found[0],
            "top/b.rs:1 -> a/src/top/c.rs: `super::c::C` leads in a circle in a/src/top: b, c, d, b"
        );
    }

    #[test]
    fn folders_make_a_circle_as_files_do() {
        let files = [
            ("top.rs", "mod b;\nmod c;"),
            ("top/b.rs", "mod d;\nmod e;"),
            ("top/b/d.rs", "use crate::top::c::C;"),
            ("top/b/e.rs", "fn a() {}"),
            ("top/c.rs", "use crate::top::b::e::E;"),
        ];
        assert_eq!(found(&files).len(), 2);
    }

    #[test]
    fn a_re_export_is_looked_through_to_the_file_that_has_the_item() {
        let left = (
            "left.rs",
            "mod b;\npub use b::B;\npub use crate::ground::C as D;",
        );
        let right = |text| {
            found(&[
                left,
                ("left/b.rs", "use crate::right::A;"),
                ("right.rs", text),
            ])
        };
        assert_eq!(right("use crate::left::D;"), [""; 0]);
        assert_eq!(
            right("use crate::left::B;")[1],
            "right.rs:1 -> a/src/left/b.rs: `crate::left::B` leads in a circle in a/src/: right, left, right"
        );
        let lib = (
            "lib.rs",
            "mod ground; mod left; mod right; mod top; pub use top::T;",
        );
        let up = found(&[lib, ("ground.rs", "use crate::T;")]);
        assert_eq!(
            up,
            ["ground.rs:1 -> a/src/top.rs: `crate::T` leads up, from ground to top"]
        );
    }

    #[test]
    fn the_root_of_a_folder_is_a_file_of_it_if_it_has_code() {
        let child = ("top/b.rs", "use super::A;");
        assert_eq!(found(&[("top.rs", "mod b;\nstruct A;"), child]), [""; 0]);
        assert_eq!(
            found(&[
                ("top.rs", "mod b;\nstruct A;\nfn a() {\n    b::b()\n}"),
                child
            ]),
            [
                "top/b.rs:1 -> a/src/top.rs: `super::A` leads in a circle in a/src/top: b, top.rs, b",
                "top.rs:4 -> a/src/top/b.rs: `b::b` leads in a circle in a/src/top: top.rs, b, top.rs",
            ]
        );
    }

    #[test]
    fn the_root_of_a_folder_without_code_is_no_file_of_it() {
        let root = ("top.rs", "mod b;\nmod c;\npub use b::B;");
        let b = ("top/b.rs", "use crate::top;\nuse super::c::C;");
        let c = ("top/c.rs", "fn a() {}");
        assert_eq!(found(&[root, b, c]), [""; 0]);
    }

    #[test]
    fn the_root_of_the_crate_is_above_all_layers() {
        let lib = (
            "lib.rs",
            "mod ground; mod left; mod right; mod top; const A: u8 = top::B;",
        );
        assert_eq!(
            found(&[lib, ("top.rs", "use crate::A;")]),
            ["top.rs:1 -> a/src/lib.rs: `crate::A` leads up, from top to lib.rs"]
        );
    }

    #[test]
    fn files_and_layers_know_each_other() {
        let lib = ("lib.rs", "mod ground; mod left; mod right; mod other;");
        assert_eq!(
            found(&[lib, ("other.rs", "fn a() {}")]),
            [
                "other.rs:1 other is in no layer",
                "top:1 the layer top is not there"
            ]
        );
    }
}
