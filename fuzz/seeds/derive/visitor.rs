/// A visitor.
#[session(name = "visitor", version = 3, from = Former<T>, initial = Self::new(1, 2), persist = "always")]
#[session(conflict = "reject", edit = View, field = Name, crate = path::to::sessions)]
pub(crate) struct Visitor<T: Clone + Into<Self> = u8, const N: usize = 4> where T: Default {
    #[session(pin, rename = "count", alias = "a", alias = "b", sensitive)]
    pub visits: u32,
    #[session(initial = Vec::<HashMap<u8, Vec<T>>>::with_capacity(3), unordered, merge = merge::union)]
    pub(in crate::a) cart: Vec<HashMap<u8, Vec<T>>>,
    #[session(with = time::seconds, conflict = "reject", serde = "ignored")]
    #[serde(rename(serialize = "a"), skip_serializing_if = "Option::is_none", default)]
    r#type: std::time::SystemTime,
    #[session(initial = |a, b| -> u8 { a + b }, skip)]
    function: fn(u8, u8) -> u8,
    #[session(nested)]
    prefs: Prefs<T>,
}
