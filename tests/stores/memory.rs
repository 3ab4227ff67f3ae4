//! The memory store: one per case, and one that all cases share as they would share a server.

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
