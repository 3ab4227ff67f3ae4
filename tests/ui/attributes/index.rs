//! `index` stands alone on a field, and names the enum on the struct.

use session_runtime::Session;

#[derive(Session)]
#[session(index)] //~ ERROR a name
struct Alone {
    #[session(index)]
    user: u64,
}

#[derive(Session)]
#[session(index = "ByUser")] //~ ERROR a name
struct Quoted {
    #[session(index)]
    user: u64,
}

#[derive(Session)]
struct Named {
    #[session(index = ByUser)] //~ ERROR no value
    user: u64,
    #[session(index, index)] //~ ERROR twice
    shop: u64,
}

fn main() {}
