//! Facts about reading JSON and YAML.

use serde_json::json;

use super::*;

fn refused(text: &str) -> String {
    yaml(text).unwrap_err().to_string()
}

#[test]
fn scalars_follow_the_core_schema() {
    let text = "a: [~, true, -7, 0x1f, 0o17, 1.5, 1e3, .5, 18446744073709551615]\n\
                b: ['1', \"true\", yes, no, 3.1.0, 2020-01-01, 1_000, +, ., e1, 0x]\n\
                c: {!!str 1: !!str 2, d: !!int 3}\n";
    let expected = json!({
        "a": [null, true, -7, 31, 15, 1.5, 1000.0, 0.5, 18446744073709551615_u64],
        "b": ["1", "true", "yes", "no", "3.1.0", "2020-01-01", "1_000", "+", ".", "e1", "0x"],
        "c": {"1": "2", "d": 3}
    });
    assert_eq!(yaml(text).unwrap(), expected);
}

#[test]
fn numbers_of_other_versions_of_yaml_are_the_numbers_they_look_like() {
    // Not the core schema's rule for these three, and never a silent loss: a count with a leading
    // zero is refused by its form later.
    assert_eq!(yaml("[0755, 0b10, -0x1f]").unwrap(), json!([755.0, 2, -31]));
}

#[test]
fn keys_are_their_text() {
    let text = "200: {}\n404: {}\ndefault: {}\nnull: 1\n";
    assert_eq!(
        yaml(text).unwrap(),
        json!({"200": {}, "404": {}, "default": {}, "null": 1})
    );
}

#[test]
fn block_texts_keep_their_lines() {
    assert_eq!(
        yaml("a: |\n  b\n  c\nd: >\n  e\n  f\n").unwrap(),
        json!({"a": "b\nc\n", "d": "e f\n"})
    );
}

#[test]
fn aliases_are_written_out() {
    let text = "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n";
    assert_eq!(
        yaml(text).unwrap(),
        json!({"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]})
    );
}

#[test]
fn a_billion_laughs_are_refused_at_once() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let message = refused(&text);
    assert!(
        message.contains("aliases make the document too long"),
        "{message}"
    );
}

#[test]
fn a_long_text_that_is_repeated_is_refused_by_its_length() {
    let long = "x".repeat(ALIAS_LIMIT / 2);
    let twice = |aliases: usize| format!("a: &a {long}\nb: [{}]\n", vec!["*a"; aliases].join(", "));
    assert!(yaml(&twice(1)).is_ok());
    let message = refused(&twice(3));
    assert!(
        message.starts_with("read at /b/2: the YAML is broken: aliases make the document too long"),
        "{message}"
    );
}

#[test]
fn an_alias_inside_of_itself_is_refused() {
    assert_eq!(
        refused("a: &x [*x]\n"),
        "read at /a/0: the YAML is broken: Recursive reference not allowed here at line 1, column 8"
    );
}

#[test]
fn nesting_is_limited_with_and_without_aliases() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(yaml(&nested(DEPTH_LIMIT)).is_ok());
    let message = refused(&nested(DEPTH_LIMIT + 1));
    assert!(
        message.contains("nested deeper than 100 levels"),
        "{message}"
    );
    assert!(refused(&nested(100_000)).contains("the YAML is broken: "));
    let deep = format!(
        "a: &x {}\nb: {}*x{}\n",
        nested(60),
        "[".repeat(60),
        "]".repeat(60)
    );
    assert!(
        refused(&deep).contains("nested deeper than 100 levels"),
        "{}",
        refused(&deep)
    );
}

#[test]
fn what_json_can_not_say_is_refused() {
    for (text, message) in [
        (
            "a: 1\nb: 2\na: 3\n",
            "the key \"a\" is there twice at line 3, column 1",
        ),
        ("? [a]\n: b\n", "expected string scalar at line 1, column 3"),
        ("a: !own b\n", "unsupported tag `!own` at line 1, column 9"),
        (
            "a: .inf\n",
            "value `.inf` is not a finite number at line 1, column 4",
        ),
        (
            "a: 1e999\n",
            "value `1e999` is not a finite number at line 1, column 4",
        ),
        (
            "a: &x {b: 1}\n<<: *x\n",
            "merge key not allowed here at line 2, column 1",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "only single YAML document expected but multiple found at line 3, column 1",
        ),
    ] {
        let refused = refused(text);
        assert!(
            refused.ends_with(&format!("the YAML is broken: {message}")),
            "{refused}"
        );
    }
}

#[test]
fn broken_text_is_refused_with_its_place() {
    let message = refused("a: [1, 2\nb: 3\n");
    assert!(
        message.starts_with("read at /a/1: the YAML is broken: "),
        "{message}"
    );
    let message = refused("a: *nobody\n");
    assert!(message.contains("the YAML is broken: "), "{message}");
}

fn refused_json(text: &str) -> String {
    json(text).unwrap_err().to_string()
}

#[test]
fn every_kind_of_value_is_as_serde_json_reads_it() {
    let text = r#"{"a":[null,true,-1,18446744073709551615,1.5e3,"é\n\u0041"],"b":{}}"#;
    assert_eq!(
        json(text).unwrap(),
        serde_json::from_str::<Value>(text).unwrap()
    );
}

#[test]
fn a_key_of_json_that_is_there_twice_is_refused_with_its_place() {
    assert_eq!(
        refused_json(r#"{"a":[0,{"b":1,"c":2,"b":3}]}"#),
        "read at /a/1/b: the JSON is broken: the key \"b\" is there twice at line 1 column 24"
    );
}

#[test]
fn nesting_of_json_is_limited() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(json(&nested(DEPTH_LIMIT)).is_ok());
    for levels in [DEPTH_LIMIT + 1, 1_000_000] {
        let message = refused_json(&nested(levels));
        assert!(
            message.contains("nested deeper than 100 levels"),
            "{message}"
        );
    }
}

#[test]
fn broken_json_is_refused_with_its_place() {
    assert_eq!(
        refused_json("{\"a\": {\"b\": tru}}"),
        "read at /a/b: the JSON is broken: expected ident at line 1 column 16"
    );
    assert_eq!(
        refused_json("{\"a\": 1"),
        "read: the JSON is broken: EOF while parsing an object at line 1 column 7"
    );
    assert_eq!(
        refused_json("{} x"),
        "read: the JSON is broken: trailing characters at line 1 column 4"
    );
    assert_eq!(
        refused_json("{\"a\": NaN}"),
        "read at /a: the JSON is broken: expected value at line 1 column 7"
    );
}
