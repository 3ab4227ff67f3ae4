//! What instances agreed on, as it is told.

use session_runtime::store::{Housekeeping, PostgresStore, RegisteredField, Registration, RegistrationId, Store};

use super::Place;

/// Registers fields of these names, each with its name as the initial value.
async fn register(store: &PostgresStore, name: &str, version: u32, fields: &[&'static str]) -> Registration {
    let field = |name: &&'static str| RegisteredField {
        name: (*name).into(),
        initial: Some(name.as_bytes().into()),
        sensitive: name.starts_with('s'),
    };
    let fields = fields.iter().map(field).collect();
    let registration = Registration {
        id: RegistrationId(u64::from(version)),
        name: name.into(),
        version,
        codec: "json".into(),
        fields,
    };
    store.register(&registration).await.unwrap()
}

/// Each in the order in which they were added, with what belongs to it; and those of others change nothing about that.
#[tokio::test]
async fn fields_are_told_in_the_order_in_which_they_were_registered() {
    let place = place!();
    let store = place.store().await;
    for (name, version) in [("Twin", 1), ("Twin", 2), ("Agreed", 2)] {
        register(&store, name, version, &["visits", "secret", "theme", "a", "b", "c", "d"]).await;
    }
    register(&store, "Agreed", 1, &["visits", "secret", "cart"]).await;
    let told = register(&store, "Agreed", 1, &["likes", "visits", "salt", "basket"]).await;
    let all = store.registrations().await.unwrap().found;
    let listed = all.iter().find(|found| &*found.name == "Agreed" && found.version == 1).unwrap().clone();
    for registration in [told, store.registration("Agreed", 1).await.unwrap().unwrap(), listed] {
        let fields: Vec<_> = registration
            .fields
            .iter()
            .map(|field| {
                assert_eq!(field.initial.as_deref(), Some(field.name.as_bytes()));
                assert_eq!(field.sensitive, field.name.starts_with('s'));
                &*field.name
            })
            .collect();
        assert_eq!(fields, ["visits", "secret", "cart", "likes", "salt", "basket"]);
    }
    let listed: Vec<_> = all.iter().map(|found| (&*found.name, found.version)).collect();
    assert_eq!(listed, [("Agreed", 1), ("Agreed", 2), ("Twin", 1), ("Twin", 2), ("Visitor", 1), ("Visitor", 2)]);
    place.clear().await;
}
