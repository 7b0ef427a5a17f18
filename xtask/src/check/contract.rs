//! The contract as it is checked in: canonical, OpenAPI 3.0, the five operations and no other,
//! and every correction of the overlay in it.

use serde_json::Value;

use super::Finding;
use crate::canonical;
use crate::regenerate::{OPERATIONS, correct};
use crate::workspace::{CONTRACT, OVERLAY};

const REGENERATE: &str = "don't edit it by hand; run `cargo xtask regenerate --from …`";

/// The methods of an OpenAPI path item.
const METHODS: [&str; 8] = [
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

pub(super) fn check(contract: &str, overlay: &str) -> Vec<Finding> {
    let document: Value = match serde_json::from_str(contract) {
        Ok(document) => document,
        Err(error) => return vec![finding(error.line(), format!("this is not JSON: {error}"))],
    };
    let mut findings = Vec::new();
    let canonical = canonical::to_string(&document);
    if canonical != contract {
        findings.push(finding(
            first_difference(contract, &canonical),
            "the document is not in canonical form".to_owned(),
        ));
    }
    if let Err(error) = serde_json::from_str::<openapiv3::OpenAPI>(contract) {
        let what = format!("this is not OpenAPI 3.0: {error}");
        findings.push(finding(error.line(), what));
    }
    operations(&document, contract, &mut findings);
    corrections(document, overlay, &mut findings);
    findings
}

fn operations(document: &Value, text: &str, findings: &mut Vec<Finding>) {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for item in paths
        .into_iter()
        .flatten()
        .filter_map(|(_, item)| item.as_object())
    {
        for (_, operation) in item
            .iter()
            .filter(|(key, _)| METHODS.contains(&key.as_str()))
        {
            let id = operation.get("operationId").and_then(Value::as_str);
            found.push(id.unwrap_or("without an operationId"));
        }
    }
    for id in &found {
        if !OPERATIONS.contains(id) {
            let line = text
                .lines()
                .position(|line| line.contains(&format!("\"{id}\"")));
            let what = format!("the operation {id} is none of the five");
            findings.push(finding(line.map_or(1, |index| index + 1), what));
        }
    }
    for id in OPERATIONS {
        match found.iter().filter(|found| **found == id).count() {
            0 => findings.push(finding(1, format!("the operation {id} is missing"))),
            1 => {}
            _ => findings.push(finding(
                1,
                format!("the operation {id} is there more than once"),
            )),
        }
    }
}

fn corrections(document: Value, overlay: &str, findings: &mut Vec<Finding>) {
    match correct::correct(document.clone(), overlay) {
        Ok(corrected) => {
            if canonical::sorted(&corrected.document) != canonical::sorted(&document) {
                let what = "a correction of xtask/overlay.json is not in it".to_owned();
                findings.push(finding(1, what));
            }
        }
        Err(error) => findings.push(Finding {
            path: OVERLAY.to_owned(),
            line: 1,
            what: error.to_string(),
            remedy: "repair the overlay document",
        }),
    }
}

fn first_difference(left: &str, right: &str) -> usize {
    let same = left
        .split('\n')
        .zip(right.split('\n'))
        .take_while(|(left, right)| left == right);
    (same.count() + 1).min(left.lines().count())
}

fn finding(line: usize, what: String) -> Finding {
    Finding {
        path: CONTRACT.to_owned(),
        line,
        what,
        remedy: REGENERATE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked_in() -> (String, String) {
        let contract = include_str!("../../tests/data/contract.json");
        (
            contract.to_owned(),
            include_str!("../../overlay.json").to_owned(),
        )
    }

    fn found(change: impl FnOnce(String) -> String) -> Vec<(usize, String)> {
        let (contract, overlay) = checked_in();
        let findings = check(&change(contract), &overlay);
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn the_contract_as_it_is_passes() {
        assert_eq!(found(|contract| contract), []);
    }

    #[test]
    fn another_form_of_the_same_document_is_found_at_its_first_line() {
        let what = || "the document is not in canonical form".to_owned();
        let lines = checked_in().0.lines().count();
        assert_eq!(found(|contract| contract + "\n"), [(lines + 1, what())]);
        assert_eq!(
            found(|text| text.replacen("    \"schemas\"", "\t\"schemas\"", 1)),
            [(3, what())]
        );
        assert_eq!(found(|text| text.replace('\n', "\r\n")), [(1, what())]);
    }

    #[test]
    fn text_that_is_no_json_is_found_at_its_line() {
        let found = found(|text| text.replacen("\"schemas\":", "\"schemas\"", 1));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 3);
    }

    #[test]
    fn a_renamed_operation_is_one_too_many_and_one_too_few() {
        let found = found(|text| text.replace("\"login\"", "\"sign_in\""));
        let whats: Vec<_> = found.into_iter().map(|(_, what)| what).collect();
        assert_eq!(
            whats,
            [
                "the operation sign_in is none of the five",
                "the operation login is missing"
            ]
        );
    }

    #[test]
    fn a_lost_correction_is_found() {
        let found = found(|text| text.replacen("\"password\"", "\"byte\"", 1));
        assert_eq!(
            found,
            [(
                1,
                "a correction of xtask/overlay.json is not in it".to_owned()
            )]
        );
    }

    #[test]
    fn another_version_is_found() {
        let found = found(|text| text.replace("\"responses\"", "\"answers\""));
        let says = |(_, what): &(usize, String)| what.starts_with("this is not OpenAPI 3.0: ");
        assert!(found.iter().any(says), "{found:?}");
    }
}
