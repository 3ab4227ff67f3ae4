//! Structs of every shape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use session_runtime::{Field, Session, Tracked};

/// Marks every field, and sees that reading, writing and naming agree on all of them.
fn exercise<T: Session>(fields: usize) {
    assert_eq!(T::LEN, fields);
    for index in 0..fields {
        assert_eq!(T::Field::from_index(index).map(Field::index), Some(index));
    }
    assert_eq!(T::Field::from_index(fields), None);
    assert_eq!((T::Field::ALL.len(), T::Field::ALL.is_empty()), (fields, fields == 0));
    for (index, field) in T::Field::ALL.into_iter().enumerate() {
        assert_eq!((field.index(), format!("{field:?}")), (index, field.name().into_owned()));
    }
    let mut session = Tracked::<T>::new().unwrap();
    assert!(session.dirty().unwrap().is_empty());
    session.edit_all();
    assert!(session.dirty().unwrap().is_empty(), "marked, and compared");
}

#[derive(Session)]
struct Unit;

#[derive(Session)]
struct Empty {}

#[derive(Session)]
struct EmptyTuple();

#[derive(Session)]
struct OnlySkipped {
    #[session(skip)]
    request: u8,
}

#[derive(Session)]
struct One {
    only: String,
}

#[derive(Session)]
struct Tuple(u8, #[session(initial = "b".to_owned())] pub String, #[session(skip)] u8, #[session(nested)] One);

#[test]
fn structs_with_few_fields() {
    exercise::<Unit>(0);
    exercise::<Empty>(0);
    exercise::<EmptyTuple>(0);
    exercise::<OnlySkipped>(0);
    exercise::<One>(1);
    exercise::<Tuple>(3);
    assert_eq!(OnlySkipped::initial().request, 0);
    assert_eq!(One::initial().only, "");
}

#[test]
fn fields_of_tuples_are_named_by_their_places() {
    let mut tuple = Tracked::<Tuple>::new().unwrap();
    *tuple.edit()._0() = 3;
    tuple.edit()._1().push('c');
    *tuple.edit()._2() = 4;
    tuple.edit()._3().only().push('d');
    assert_eq!((tuple.0, tuple.1.as_str(), tuple.2, tuple.3.only.as_str()), (3, "bc", 4, "d"));
    let dirty: Vec<_> = tuple.dirty().unwrap().iter().collect();
    assert_eq!(dirty, [TupleField::_0, TupleField::_1, TupleField::_3(OneField::Only)]);
    assert_eq!(format!("{dirty:?}"), "[0, 1, 3.only]");
}

/// Generates a struct whose fields have these names.
macro_rules! wide {
    ($name:ident: $($field:ident)*) => {
        #[derive(Session)]
        struct $name {
            $($field: u32,)*
        }

        impl $name {
            fn sum(&self) -> u32 {
                0 $(+ self.$field)*
            }
        }
    };
}

wide!(Wide64:
    a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7
    e0 e1 e2 e3 e4 e5 e6 e7 f0 f1 f2 f3 f4 f5 f6 f7 g0 g1 g2 g3 g4 g5 g6 g7 h0 h1 h2 h3 h4 h5 h6 h7
);

wide!(Wide65:
    a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7
    e0 e1 e2 e3 e4 e5 e6 e7 f0 f1 f2 f3 f4 f5 f6 f7 g0 g1 g2 g3 g4 g5 g6 g7 h0 h1 h2 h3 h4 h5 h6 h7 last
);

wide!(Wide200:
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7
    d8 d9 e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 h0 h1 h2 h3 h4 h5
    h6 h7 h8 h9 i0 i1 i2 i3 i4 i5 i6 i7 i8 i9 j0 j1 j2 j3 j4 j5 j6 j7 j8 j9 k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 l0 l1 l2 l3
    l4 l5 l6 l7 l8 l9 m0 m1 m2 m3 m4 m5 m6 m7 m8 m9 n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 o0 o1 o2 o3 o4 o5 o6 o7 o8 o9 p0 p1
    p2 p3 p4 p5 p6 p7 p8 p9 q0 q1 q2 q3 q4 q5 q6 q7 q8 q9 r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 s0 s1 s2 s3 s4 s5 s6 s7 s8 s9
    t0 t1 t2 t3 t4 t5 t6 t7 t8 last
);

#[test]
fn structs_with_many_fields() {
    exercise::<Wide64>(64);
    exercise::<Wide65>(65);
    exercise::<Wide200>(200);
    let mut wide = Tracked::<Wide200>::new().unwrap();
    *wide.edit().last() = 1;
    *wide.edit().g4() = 2;
    assert_eq!(wide.dirty().unwrap().iter().collect::<Vec<_>>(), [Wide200Field::G4, Wide200Field::Last]);
    assert_eq!((wide.sum(), Wide64::initial().sum(), Wide65::initial().sum()), (3, 0, 0));
}

/// `impl<T, K, const N: usize> Session for Generic<T, K, N>
/// where K: Ord, Generic<T, K, N>: Send + 'static, Vec<T>: Serialize + …, BTreeMap<K, [T; N]>: …, [u8; N]: …, PhantomData<T>: …`
#[derive(Session)]
#[session(name = "generic")]
struct Generic<T, K = String, const N: usize = 2>
where
    K: Ord,
{
    text: Cow<'static, str>,
    list: Vec<T>,
    map: BTreeMap<K, T>,
    #[session(skip)]
    marker: PhantomData<fn(K) -> T>,
    #[session(initial = N)]
    length: usize,
}

/// `impl<A, B> Session for Composed<A, B> where A: Session, B: Session`, `enum ComposedField<B>`
#[derive(Session)]
#[session(name = "composed")]
struct Composed<A: Clone, B> {
    #[session(skip, initial = None)]
    cache: Option<A>,
    own: u8,
    #[session(nested)]
    second: B,
    #[session(nested)]
    tuple: Tuple,
}

#[test]
fn generic_structs_ask_only_for_what_their_fields_need() {
    struct Opaque;

    exercise::<Generic<u8>>(4);
    exercise::<Generic<String, u8, 7>>(4);
    exercise::<Composed<u8, Composed<String, One>>>(1 + (1 + 1 + 3) + 3);
    // A parameter that only a skipped field has is free.
    let initial = Generic::<u8, u8, 9>::initial();
    assert_eq!((initial.length, initial.list.len(), initial.map.len(), &*initial.text), (9, 0, 0, ""));
    let PhantomData = initial.marker;
    let composed = Composed::<fn() -> Opaque, One>::initial();
    assert!(composed.cache.is_none());
    let field: ComposedField<One> = ComposedField::Second(OneField::Only);
    assert_eq!(
        (composed.own, composed.second.only.as_str(), field.index(), format!("{field:?}")),
        (0, "", 1, "second.only".to_owned())
    );
}

#[derive(Session)]
struct Configured {
    always: u8,
    #[cfg(not(test))]
    never: NoSuchType,
    #[cfg(test)]
    #[cfg_attr(test, session(initial = 5))]
    sometimes: u8,
    #[cfg_attr(not(test), session(no_such_attribute))]
    plain: u8,
}

#[test]
fn fields_that_are_configured_away_are_not_there() {
    exercise::<Configured>(3);
    let initial = Configured::initial();
    assert_eq!((initial.always, initial.sometimes, initial.plain), (0, 5, 0));
}

/// Serde's attributes are for another use of the struct.
#[derive(serde::Serialize, Session)]
#[session(serde = "ignored")]
#[serde(rename_all = "UPPERCASE")]
struct AlsoSerde {
    #[serde(rename = "other")]
    #[session(rename = "mine")]
    visits: u32,
    #[serde(skip)]
    #[session(serde = "ignored")]
    kept: u32,
    #[serde(skip)]
    #[session(skip)]
    secret: String,
}

#[test]
fn what_serde_says_of_the_struct_is_not_followed_and_that_is_said() {
    let mut session = Tracked::<AlsoSerde>::new().unwrap();
    *session.edit().visits() += 1;
    *session.edit().kept() += 1;
    session.edit().secret().push('x');
    assert_eq!(format!("{:?}", session.dirty().unwrap()), "{mine, kept}");
    assert_eq!((session.visits, session.kept, session.secret.as_str()), (1, 1, "x"));
}
