//! What a change of a field's type means for the values that two builds store.

use serde_json::{Map, Value};

/// The first part of a field's type that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The part: nothing for the field itself, or such as `[].quantity`.
    pub(super) part: String,
    pub(super) was: String,
    pub(super) is: String,
    pub(super) effect: Effect,
}

/// Which build is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The deployed build cannot read all that this one stores.
    DeployedCannotRead,
    /// This build cannot read all that the deployed one stored.
    CannotRead,
    /// Neither can read what the other stores.
    Neither,
    /// The deployed build leaves out what this one has more.
    DeployedDrops,
    /// This build leaves out what the deployed one has more.
    Drops,
}

/// The first change from one type to another; `None` if both read the same.
pub(super) fn change(was: &Value, is: &Value) -> Option<Change> {
    at(was, is, String::new())
}

fn at(was: &Value, is: &Value, part: String) -> Option<Change> {
    if was == is {
        return None;
    }
    let effect = match (was, is) {
        (Value::Object(was), Value::Object(is)) => match members(was, is) {
            Members::Same(name) => return at(&was[name], &is[name], format!("{part}.{name}")),
            Members::More => Effect::DeployedDrops,
            Members::Fewer => Effect::Drops,
            Members::Others => Effect::Neither,
        },
        (Value::Array(one), Value::Array(other)) if one.first() == other.first() => match (&one[..], &other[..]) {
            ([_, Value::Object(was)], [_, Value::Object(is)]) if one[0] == "enum" => match members(was, is) {
                Members::Same(name) => return at(&was[name], &is[name], format!("{part}::{name}")),
                Members::More => Effect::DeployedCannotRead,
                Members::Fewer => Effect::CannotRead,
                Members::Others => Effect::Neither,
            },
            ([tag, was @ ..], [_, is @ ..]) if was.len() == is.len() && tag != "any" => {
                let (index, (was, is)) = was.iter().zip(is).enumerate().find(|(_, (was, is))| was != is)?;
                return at(was, is, part + &step(tag, index));
            }
            _ => Effect::Neither,
        },
        _ if optional(is).is_some_and(|inner| inner == was) => Effect::DeployedCannotRead,
        _ if optional(was).is_some_and(|inner| inner == is) => Effect::CannotRead,
        _ => scalars(was, is),
    };
    Some(Change { part, was: show(was), is: show(is), effect })
}

/// How the names of one struct's fields, or one enum's variants, are to those of another.
enum Members<'a> {
    /// They are the same; this is the first that changed.
    Same(&'a str),
    More,
    Fewer,
    Others,
}

fn members<'a>(was: &'a Map<String, Value>, is: &Map<String, Value>) -> Members<'a> {
    let changed = was.iter().find(|(name, value)| is.get(*name) != Some(value)).map_or("", |(name, _)| name);
    let is_missing = was.keys().any(|name| !is.contains_key(name));
    let is_new = is.keys().any(|name| !was.contains_key(name));
    match (is_new, is_missing) {
        (false, false) => Members::Same(changed),
        (true, false) => Members::More,
        (false, true) => Members::Fewer,
        (true, true) => Members::Others,
    }
}

fn step(tag: &Value, index: usize) -> String {
    match (tag.as_str(), index) {
        (Some("tuple"), _) => format!(".{index}"),
        (Some("map"), 0) => "{key}".to_owned(),
        (Some("map"), _) => "{}".to_owned(),
        (Some("list"), _) => "[]".to_owned(),
        _ => String::new(),
    }
}

fn optional(shape: &Value) -> Option<&Value> {
    match shape.as_array().map(Vec::as_slice) {
        Some([tag, inner]) if tag == "option" => Some(inner),
        _ => None,
    }
}

fn scalars(was: &Value, is: &Value) -> Effect {
    let refines = |one: &Value, other: &Value| match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one.strip_prefix(other).is_some_and(|rest| rest.starts_with(':')),
        _ => false,
    };
    match (range(was), range(is)) {
        _ if refines(was, is) => Effect::DeployedCannotRead,
        _ if refines(is, was) => Effect::CannotRead,
        (Some(was), Some(is)) if was.0 >= is.0 && was.1 <= is.1 => Effect::DeployedCannotRead,
        (Some(was), Some(is)) if was.0 <= is.0 && was.1 >= is.1 => Effect::CannotRead,
        _ => Effect::Neither,
    }
}

/// The powers of two between which the integers of a type are.
fn range(shape: &Value) -> Option<(i32, i32)> {
    let name = shape.as_str()?;
    let bits = name.get(1..)?.parse::<i32>().ok()?;
    match name.get(..1)? {
        "u" => Some((0, bits)),
        "i" => Some((1 - bits, bits - 1)),
        _ => None,
    }
}

/// A type in the words of Rust, without what is inside its parts.
fn show(shape: &Value) -> String {
    let names =
        |members: &Map<String, Value>, between| members.keys().map(String::as_str).collect::<Vec<_>>().join(between);
    match shape {
        Value::Object(fields) => format!("{{ {} }}", names(fields, ", ")),
        Value::Array(parts) => match (parts.first().and_then(Value::as_str), &parts[1.min(parts.len())..]) {
            (Some("option"), [inner]) => format!("Option<{}>", show(inner)),
            (Some("list"), [inner]) => format!("[{}]", show(inner)),
            (Some("map"), [key, value]) => format!("{{{}: {}}}", show(key), show(value)),
            (Some("enum"), [Value::Object(variants)]) => names(variants, " | "),
            (Some("tuple"), parts) => format!("({})", parts.iter().map(show).collect::<Vec<_>>().join(", ")),
            (_, [name]) => show(name),
            _ => shape.to_string(),
        },
        Value::String(name) => name.clone(),
        _ => shape.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn changed(was: &Value, is: &Value) -> (String, String, String, Effect) {
        let Change { part, was, is, effect } = change(was, is).expect("a change");
        (part, was, is, effect)
    }

    fn told(part: &str, was: &str, is: &str, effect: Effect) -> (String, String, String, Effect) {
        (part.to_owned(), was.to_owned(), is.to_owned(), effect)
    }

    #[test]
    fn numbers_are_told_by_what_both_can_hold() {
        let of = |was: &str, is: &str| changed(&json!(was), &json!(is)).3;
        assert_eq!(of("u32", "u64"), Effect::DeployedCannotRead);
        assert_eq!(of("u32", "i64"), Effect::DeployedCannotRead);
        assert_eq!(of("i64", "i8"), Effect::CannotRead);
        assert_eq!(of("u8", "i8"), Effect::Neither);
        assert_eq!(of("u8", "string"), Effect::Neither);
        assert_eq!(of("f32", "f64"), Effect::Neither);
        assert_eq!(of("u16: NonZero<u16>", "u16"), Effect::DeployedCannotRead);
        assert_eq!(of("string", "string: Uuid"), Effect::CannotRead);
        assert_eq!(of("string: Uuid", "string: Ipv4Addr"), Effect::Neither);
        assert_eq!(change(&json!("u8"), &json!("u8")), None);
    }

    #[test]
    fn the_part_that_changed_is_named() {
        let cart = |quantity: Value| json!(["list", { "sku": "string", "quantity": quantity }]);
        let many = told("[].quantity", "u32", "u64", Effect::DeployedCannotRead);
        assert_eq!(changed(&cart(json!("u32")), &cart(json!("u64"))), many);
        let maybe = told("[].quantity", "u32", "Option<u32>", Effect::DeployedCannotRead);
        assert_eq!(changed(&cart(json!("u32")), &cart(json!(["option", "u32"]))), maybe);
        assert_eq!(changed(&json!(["option", "u8"]), &json!("u8")).3, Effect::CannotRead);
        let by_key = |value: &str| json!(["map", "string", ["tuple", "bool", value]]);
        assert_eq!(changed(&by_key("u8"), &by_key("char")), told("{}.1", "u8", "char", Effect::Neither));
        assert_eq!(
            changed(&json!(["any", "Value"]), &json!(["any", "Map"])),
            told("", "Value", "Map", Effect::Neither)
        );
    }

    #[test]
    fn fields_that_come_are_dropped_by_others_and_variants_are_not_read() {
        let (one, two) = (json!({ "a": "u8" }), json!({ "a": "u8", "b": "bool" }));
        assert_eq!(changed(&one, &two), told("", "{ a }", "{ a, b }", Effect::DeployedDrops));
        assert_eq!(changed(&two, &one).3, Effect::Drops);
        assert_eq!(changed(&one, &json!({ "b": "u8" })).3, Effect::Neither);
        let (one, two) = (json!(["enum", one]), json!(["enum", two]));
        assert_eq!(changed(&one, &two), told("", "a", "a | b", Effect::DeployedCannotRead));
        assert_eq!(changed(&two, &one).3, Effect::CannotRead);
        let other = json!(["enum", { "a": "u16" }]);
        assert_eq!(changed(&one, &other), told("::a", "u8", "u16", Effect::DeployedCannotRead));
    }
}
