//! A field, or the whole session, refuses what others overtook.

use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(conflict = "reject")]
    balance: i64,
    note: String,
}

#[derive(Session)]
#[session(conflict = "reject")]
struct Ledger {
    balance: i64,
}

fn main() {
    assert_eq!((Account::initial().balance, Account::initial().note.as_str()), (0, ""));
    assert_eq!(Ledger::initial().balance, 0);
}
