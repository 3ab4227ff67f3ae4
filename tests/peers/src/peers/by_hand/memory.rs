//! Structs cloned into and out of a map.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_peers_load::{Contender, Visitor, filled};

#[derive(Default)]
pub struct Memory(Mutex<HashMap<String, Visitor>>);

impl Memory {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Visitor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contender for Memory {
    type Held = (String, Visitor);

    async fn fill(&self, key: u32, notes: usize) {
        self.map().insert(name(key), filled(notes));
    }

    async fn read(&self, key: u32) {
        std::hint::black_box(self.hold(key).await.1.visits);
    }

    async fn change(&self, key: u32) {
        let mut held = self.hold(key).await;
        self.write(&mut held).await;
    }

    async fn hold(&self, key: u32) -> Self::Held {
        let key = name(key);
        let visitor = self.map().get(&key).expect("the session is stored").clone();
        (key, visitor)
    }

    async fn write(&self, (key, visitor): &mut Self::Held) {
        visitor.visits = visitor.visits.wrapping_add(1);
        let copy = visitor.clone();
        if let Some(stored) = self.map().get_mut(key) {
            *stored = copy;
        }
    }
}

fn name(key: u32) -> String {
    format!("visitor-{key}")
}
