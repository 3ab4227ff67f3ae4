//! The contenders, one file each. tower-sessions on SQLx's engines runs in a process of its own: see `../sqlx`.

pub mod accounts;
pub mod by_hand;
pub mod ours;

session_peers_load::tower!(tower_memory, tower_sessions);
session_peers_load::tower!(tower_redis, tower_sessions_core_014);
