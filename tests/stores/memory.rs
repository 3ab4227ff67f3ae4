//! The memory store: one per case, one that all cases share as they would share a server, and a part of one.

mod own {
    use session_runtime::store::MemoryStore;

    session_runtime::conformance!(async { MemoryStore::new() });
}

mod shared {
    use std::sync::LazyLock;

    use session_runtime::store::MemoryStore;

    static STORE: LazyLock<MemoryStore> = LazyLock::new(MemoryStore::new);

    session_runtime::conformance!(async { STORE.clone() });
}

mod namespaced {
    use session_runtime::store::{MemoryStore, Namespaced};

    session_runtime::conformance!(async { Namespaced::new(MemoryStore::new(), "shop").expect("a namespace") });
}
