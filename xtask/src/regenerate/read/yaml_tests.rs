//! Facts about reading YAML.

use serde_json::json;

use super::*;

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
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
    assert_eq!(parse(text).unwrap(), expected);
}

#[test]
fn keys_are_their_text() {
    let text = "200: {}\n404: {}\ndefault: {}\nnull: 1\n";
    assert_eq!(
        parse(text).unwrap(),
        json!({"200": {}, "404": {}, "default": {}, "null": 1})
    );
}

#[test]
fn block_texts_keep_their_lines() {
    assert_eq!(
        parse("a: |\n  b\n  c\nd: >\n  e\n  f\n").unwrap(),
        json!({"a": "b\nc\n", "d": "e f\n"})
    );
}

#[test]
fn aliases_are_written_out() {
    let text = "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n";
    assert_eq!(
        parse(text).unwrap(),
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
        message.contains("make the document longer than may be"),
        "{message}"
    );
}

#[test]
fn an_alias_inside_of_itself_is_refused() {
    assert_eq!(
        refused("a: &x [*x]\n"),
        "read at /a/0: the YAML is broken: an alias stands inside of what it names at line 1 column 8"
    );
}

#[test]
fn nesting_is_limited_with_and_without_aliases() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(parse(&nested(DEPTH_LIMIT)).is_ok());
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
            "the key \"a\" is there twice at line 3 column 1",
        ),
        ("? [a]\n: b\n", "a key must be a text at line 1 column 3"),
        (
            "a: !own b\n",
            "the tag !own does not fit here at line 1 column 4",
        ),
        ("a: .inf\n", "JSON has no .inf at line 1 column 4"),
        (
            "a: 1e999\n",
            "the number 1e999 is too large at line 1 column 4",
        ),
        (
            "a: &x {b: 1}\n<<: *x\n",
            "the merge key << is of YAML 1.1; write it out at line 2 column 1",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "there is a second document at line 2 column 1",
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
