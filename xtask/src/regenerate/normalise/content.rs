//! One form for the content of requests and responses: how a media type is written, content that
//! says nothing, and errors that differ in words alone.

use serde_json::{Map, Value};

use crate::document::positions::Kind;

/// Header parameters that OpenAPI tells to ignore: the content and the security say them.
const IGNORED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Writes media types in lower case and without a charset, which is UTF-8 wherever it matters.
///
/// A response's media type without a schema is left out: an example describes nothing on the wire.
pub(super) fn normalise(fields: &mut Map<String, Value>, kind: Kind) {
    let Some(Value::Object(content)) = fields.get_mut("content") else {
        return;
    };
    let written: Vec<_> = content.keys().cloned().collect();
    for name in written {
        let plain = plain(&name);
        if plain != name
            && let Some(media_type) = content.remove(&name)
        {
            // The one that was written plainly is the better one.
            content.entry(plain).or_insert(media_type);
        }
    }
    if kind == Kind::Response {
        let says_nothing = |value: &Value| value.is_object() && value.get("schema").is_none();
        content.retain(|_, media_type| !says_nothing(media_type));
    }
}

/// Returns a media type in lower case, without a charset.
pub(in crate::regenerate) fn plain(media_type: &str) -> String {
    let mut parts = media_type.split(';').map(str::trim);
    let mut plain = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts {
        if !parameter.to_ascii_lowercase().starts_with("charset=") {
            plain.push(';');
            plain.push_str(parameter);
        }
    }
    plain
}

/// Removes the header parameters that OpenAPI tells to ignore.
pub(super) fn without_ignored_headers(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(parameters)) = fields.get_mut("parameters") {
        parameters.retain(|parameter| {
            let text = |name| parameter.get(name).and_then(Value::as_str);
            let name = text("name").filter(|_| text("in") == Some("header"));
            !name.is_some_and(|name| {
                let name = name.to_ascii_lowercase();
                IGNORED_HEADERS.contains(&name.as_str())
            })
        });
    }
}

/// The keywords of a schema that are about people.
const WORDS: [&str; 2] = ["description", "example"];

/// Removes the words of error bodies that are otherwise the same schema, written out for each
/// status: the generator takes one schema for all errors of an operation.
pub(super) fn errors_without_words(operation: &mut Map<String, Value>) {
    let mut bodies: Vec<&mut Map<String, Value>> = Vec::new();
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for (status, response) in responses {
            let is_error = matches!(status.as_bytes(), [b'4' | b'5', ..] | b"default");
            let schema = response.pointer_mut("/content/application~1json/schema");
            if let Some(Value::Object(schema)) = schema.filter(|_| is_error) {
                bodies.push(schema);
            }
        }
    }
    let plain = |schema: &Map<String, Value>| {
        let mut plain = schema.clone();
        plain.retain(|keyword, _| !WORDS.contains(&keyword.as_str()));
        plain
    };
    let plain_bodies: Vec<_> = bodies.iter().map(|schema| plain(schema)).collect();
    let is_same = |(schema, plain): (&&mut Map<String, Value>, &Map<String, Value>)| {
        let mut others = bodies.iter().zip(&plain_bodies);
        others.any(|(other, other_plain)| other_plain == plain && *other != *schema)
    };
    let differ: Vec<_> = bodies.iter().zip(&plain_bodies).map(is_same).collect();
    for ((schema, plain), differs) in bodies.into_iter().zip(plain_bodies).zip(differ) {
        if differs {
            *schema = plain;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normalised(kind: Kind, content: Value) -> Value {
        let mut fields = Map::from_iter([("content".to_owned(), content)]);
        normalise(&mut fields, kind);
        fields.remove("content").unwrap()
    }

    #[test]
    fn json_is_json_however_it_is_written() {
        for name in [
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json;charset=UTF-8",
        ] {
            for kind in [Kind::RequestBody, Kind::Response] {
                let content = json!({name: {"schema": {}}});
                let expected = json!({"application/json": {"schema": {}}});
                assert_eq!(normalised(kind, content), expected, "{name}");
            }
        }
        let both = json!({"application/json": {"schema": {}}, "application/json;charset=a": {"schema": 1}});
        let expected = json!({"application/json": {"schema": {}}});
        assert_eq!(normalised(Kind::Response, both), expected);
        let other = json!({"multipart/form-data; boundary=A": {"schema": {}}});
        let expected = json!({"multipart/form-data;boundary=A": {"schema": {}}});
        assert_eq!(normalised(Kind::RequestBody, other), expected);
    }

    #[test]
    fn an_example_alone_describes_no_response() {
        let content = json!({"application/json": {"example": 1}, "text/plain": {"schema": {}}});
        let expected = json!({"text/plain": {"schema": {}}});
        assert_eq!(normalised(Kind::Response, content.clone()), expected);
        assert_eq!(normalised(Kind::RequestBody, content.clone()), content);
    }

    #[test]
    fn headers_that_are_said_elsewhere_are_ignored() {
        let parameter = |name: &str| json!({"in": "header", "name": name});
        let named = ["Accept", "authorization", "Content-Type", "X-Other"].map(parameter);
        let mut fields = Map::from_iter([("parameters".to_owned(), json!(named))]);
        without_ignored_headers(&mut fields);
        assert_eq!(fields["parameters"], json!([parameter("X-Other")]));
    }

    #[test]
    fn errors_that_differ_in_words_alone_have_one_body() {
        let error = |words: &str, kind: &str| {
            let schema = json!({"type": kind, "description": words, "example": words});
            json!({"content": {"application/json": {"schema": schema}}})
        };
        let plain =
            |kind: &str| json!({"content": {"application/json": {"schema": {"type": kind}}}});
        let responses = |responses: [Value; 4]| {
            let statuses = ["200", "401", "404", "default"];
            let responses = statuses.into_iter().map(str::to_owned).zip(responses);
            Map::from_iter([("responses".to_owned(), Map::from_iter(responses).into())])
        };
        let one = error("a", "object");
        let mut operation = responses([
            one.clone(),
            one.clone(),
            error("b", "object"),
            error("c", "array"),
        ]);
        errors_without_words(&mut operation);
        let expected = [
            one.clone(),
            plain("object"),
            plain("object"),
            error("c", "array"),
        ];
        assert_eq!(operation, responses(expected));
        // Words that all have are kept.
        let mut operation = responses([one.clone(), one.clone(), one.clone(), one]);
        let before = operation.clone();
        errors_without_words(&mut operation);
        assert_eq!(operation, before);
    }
}
