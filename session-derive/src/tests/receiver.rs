//! `Self` in the struct, written out.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::DeriveInput;

use crate::receiver::Receiver;

/// The struct without `Self`.
fn written_out(input: TokenStream) -> String {
    let mut input: DeriveInput = syn::parse2(input).expect("a struct");
    Receiver::of(&input).write_out(&mut input);
    spaceless(&input.into_token_stream())
}

fn spaceless(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "")
}

#[test]
fn every_place_of_a_type_may_have_it() {
    let input = quote! {
        struct Visitor {
            list: Vec<Self>,
            boxed: Option<Box<Self>>,
            id: <Self as Kind>::Id,
            marker: PhantomData<fn(Self, &[Self]) -> (Self,)>,
            table: [Box<Self>; Self::N],
            sized: [u8; { size_of::<Self>() }],
            object: Box<dyn Kind<Id = Self>>,
            by_macro: list!(Self),
            other: SelfMade,
        }
    };
    let expected = quote! {
        struct Visitor {
            list: Vec<Visitor>,
            boxed: Option<Box<Visitor>>,
            id: <Visitor as Kind>::Id,
            marker: PhantomData<fn(Visitor, &[Visitor]) -> (Visitor,)>,
            table: [Box<Visitor>; Visitor::N],
            sized: [u8; { size_of::<Visitor>() }],
            object: Box<dyn Kind<Id = Visitor>>,
            by_macro: list!(Visitor),
            other: SelfMade,
        }
    };
    assert_eq!(written_out(input), spaceless(&expected));
}

#[test]
fn generics_come_with_it() {
    let input = quote! {
        struct Tree<T: Into<Self>, const N: usize>(Vec<Self>, Self::Id, Option<Box<Self>>)
        where
            Self: Kind<Id = T>;
    };
    let expected = quote! {
        struct Tree<T: Into<Tree<T, N> >, const N: usize>(
            Vec<Tree<T, N> >,
            <Tree<T, N> >::Id,
            Option<Box<Tree<T, N> > >
        )
        where
            Tree<T, N>: Kind<Id = T>;
    };
    assert_eq!(written_out(input), spaceless(&expected));
}

#[test]
fn values_in_attributes_keep_it() {
    let input = quote! {
        struct Visitor {
            #[session(initial = Self::first())]
            visits: u32,
        }
    };
    assert_eq!(written_out(input.clone()), spaceless(&input));
}
