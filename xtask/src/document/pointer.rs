//! JSON pointers, and the ones that name a component of a document. `reference` follows them.

/// Appends a key to a JSON pointer, escaped.
#[must_use]
pub fn at(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Returns the section and the name of the component that a pointer names.
#[must_use]
pub fn component(pointer: &str) -> Option<(String, String)> {
    let (section, name) = pointer.strip_prefix("/components/")?.split_once('/')?;
    (!name.contains('/')).then(|| (section.to_owned(), unescaped(name)))
}

/// Returns the pointer of a component.
#[must_use]
pub fn to_component(section: &str, name: &str) -> String {
    at(&at("/components", section), name)
}

/// Returns a key of a JSON pointer as it stands in the document.
#[must_use]
pub fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeper_pointers_are_no_components() {
        assert_eq!(component("/components/schemas/A/properties/b"), None);
        assert_eq!(component("/paths/~1a"), None);
    }
}
