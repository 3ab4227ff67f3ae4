#[session(name = "dialogue")] enum Dialogue { Idle, Asked { #[session(skip)] name: String } }
