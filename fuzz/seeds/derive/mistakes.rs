#[session(version = "2", name = a, edit)] #[serde(rename_all = "x")] struct Pair(#[session(skp, initial = 1 +)] u8, #[session(merge = "a", rename = 1)] HashMap<u8, u8>);
