//! Whatever stands in the editor, the derive answers: no panic, and an implementation for every struct that is one.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{DeriveInput, Item};

use crate::expand::derive;
use crate::fuzz::derive_for;
use crate::names::{ON_FIELD, ON_STRUCT, usage};

/// A struct with everything.
fn large() -> TokenStream {
    quote! {
        /// A visitor.
        #[session(name = "visitor", version = 3, from = Former<T>, initial = Self::new(1, 2), persist = "always")]
        #[session(conflict = "reject", edit = View, field = Name, crate = path::to::sessions)]
        pub(crate) struct Visitor<T: Clone + Into<Self> = u8, const N: usize = 4>
        where
            T: Default,
        {
            /// How often.
            #[session(pin, rename = "count", alias = "a", alias = "b", sensitive)]
            pub visits: u32,
            #[session(initial = Vec::<HashMap<u8, Vec<T>>>::with_capacity(3), unordered, merge = merge::union)]
            pub(in crate::a) cart: Vec<HashMap<u8, Vec<T>>>,
            #[session(with = time::seconds, conflict = "reject", serde = "ignored")]
            #[serde(rename(serialize = "a", deserialize = "b"), skip_serializing_if = "Option::is_none", default)]
            r#type: std::time::SystemTime,
            #[session(initial = |a, b| -> u8 { a + b }, skip)]
            function: fn(u8, u8) -> u8,
            #[session(initial = if let Some(x) = y { [x; N] } else { [0; N] })]
            table: [u8; N],
            #[session(nested)]
            prefs: Prefs<T>,
        }
    }
}

/// The stream, broken off behind each of its tokens; the compiler closes the brackets that are open.
fn prefixes(stream: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut prefixes = vec![TokenStream::new()];
    for (count, token) in tokens.iter().enumerate() {
        let before = || tokens.iter().take(count).cloned();
        if let TokenTree::Group(group) = token {
            prefixes.extend(
                self::prefixes(group.stream())
                    .into_iter()
                    .map(|inside| before().chain([Group::new(group.delimiter(), inside).into()]).collect()),
            );
        }
        prefixes.push(before().chain([token.clone()]).collect());
    }
    prefixes
}

/// Whether the expansion implements the trait for something.
fn implements(expansion: &TokenStream) -> bool {
    let file: syn::File = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"));
    file.items.iter().any(|item| match item {
        Item::Const(item) => quote!(#item).to_string().contains("__session :: Session for"),
        _ => false,
    })
}

/// Requires an answer.
fn answers(input: &TokenStream) {
    let expansion = derive(input.clone());
    if syn::parse2::<DeriveInput>(input.clone()).is_ok() {
        assert!(implements(&expansion), "no implementation for {input}");
    } else {
        assert!(expansion.to_string().contains("compile_error"), "no error for {input}");
    }
}

#[test]
fn every_beginning_of_a_large_struct_has_an_answer() {
    let prefixes = prefixes(large());
    assert!(prefixes.len() > 300, "{}", prefixes.len());
    prefixes.iter().for_each(answers);
}

#[test]
fn every_beginning_of_its_attributes_keeps_the_methods_of_its_fields() {
    let input: DeriveInput = syn::parse2(large()).expect("a struct");
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("session")) {
        let syn::Meta::List(list) = &attr.meta else { continue };
        for tokens in prefixes(list.tokens.clone()) {
            let expansion = derive(quote! {
                struct Visitor {
                    #[session(#tokens)]
                    visits: u32,
                    theme: String,
                }
            });
            assert!(implements(&expansion));
            let text = expansion.to_string();
            assert!(text.contains("fn visits (self)") && text.contains("fn theme (self)"), "{text}");
        }
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A setting that is right when it stands alone, or none.
    fn valid(&mut self, attributes: &[&str]) -> TokenStream {
        if self.below(3) == 0 {
            usage(self.one_of(attributes), attributes == ON_STRUCT).1.parse().unwrap_or_default()
        } else {
            TokenStream::new()
        }
    }

    /// Settings, right ones and wrong ones, with and without commas.
    fn attributes(&mut self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for _ in 0..self.below(5) {
            tokens.extend(self.setting());
            if self.below(8) > 0 {
                tokens.extend([TokenTree::from(Punct::new(',', Spacing::Alone))]);
            }
        }
        tokens
    }

    fn setting(&mut self) -> TokenStream {
        const KEYS: &[&str] = &[
            "initial",
            "skip",
            "nested",
            "rename",
            "alias",
            "with",
            "pin",
            "unordered",
            "merge",
            "conflict",
            "sensitive",
            "name",
            "version",
            "from",
            "persist",
            "edit",
            "field",
            "crate",
            "default",
            "self",
            "struct",
            "_",
        ];
        const VALUES: &[&str] = &[
            "= 1",
            "= \"reject\"",
            "= \"always\"",
            "= \"a\"",
            "= \"\"",
            "= \"visits\"",
            "= \"#x\"",
            "= \"a.b\"",
            "= a::b",
            "= Vec::<u8>::new()",
            "= |a, b| a",
            "= View",
            "= u8",
            "= Prefs<T>",
            "= 4294967296",
            "= -1",
            "= |",
            "= <",
            "= a as",
            "=",
            "(a, b)",
            "== 2",
            "= 1 +",
            "= ::",
            "= crate",
            "= 'a'",
            "= 'a",
            "= {}",
            "= [1, 2]",
            "= \"\\n\"",
            "= r#\"x\"#",
            "",
        ];
        match self.below(10) {
            0 => self.noise(3),
            1 => {
                let mut tokens = self.one_of(KEYS).parse().unwrap_or_default();
                TokenStream::extend(&mut tokens, self.noise(2));
                tokens
            }
            _ => format!("{} {}", self.one_of(KEYS), self.one_of(VALUES)).parse().unwrap_or_default(),
        }
    }

    /// Any tokens.
    fn noise(&mut self, depth: usize) -> TokenStream {
        (0..self.below(4))
            .map(|_| match self.below(if depth == 0 { 3 } else { 4 }) {
                0 => Ident::new(
                    self.one_of(&["a", "r#fn", "as", "move", "self_", "T", "é"]).trim_start_matches("r#"),
                    Span::call_site(),
                )
                .into(),
                1 => {
                    let spacing = if self.below(2) == 0 { Spacing::Joint } else { Spacing::Alone };
                    Punct::new(
                        self.one_of(&["=", ",", "|", "<", ">", ":", "'", "#", "."]).chars().next().unwrap_or('='),
                        spacing,
                    )
                    .into()
                }
                2 => Literal::string(self.one_of(&["", "x", "visits", "reject"])).into(),
                _ => {
                    let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                    TokenTree::from(Group::new(delimiters[self.below(4)], self.noise(depth - 1)))
                }
            })
            .collect()
    }
}

/// One hundred thousand lists of attributes, most of which nobody would write, ten to a struct.
#[test]
fn no_attributes_make_the_derive_panic() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..10_000 {
        // Else one wrong setting of many would hide what the right ones expand to.
        let mistakes = numbers.below(2) == 0;
        let mut list = |attributes| if mistakes { numbers.attributes() } else { numbers.valid(attributes) };
        let on_struct = list(ON_STRUCT);
        let on_fields = (0..9).map(|_| list(ON_FIELD));
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|name| Ident::new(name, Span::call_site()));
        let expansion = derive(quote! {
            #[session(#on_struct)]
            struct Visitor<T> {
                #(#[session(#on_fields)] #names: Kind<T>,)*
            }
        });
        // Errors come first.
        let mut start = expansion.into_iter().take(6);
        accepted += usize::from(!start.any(|token| matches!(token, TokenTree::Ident(word) if word == "compile_error")));
    }
    assert!(accepted > 100, "only {accepted} of 10,000 structs had no mistake");
}

/// A struct with everything, a thousand times with some letters changed, taken out or put in.
#[test]
fn no_text_makes_the_derive_panic_and_its_errors_point_into_the_text() {
    const WORDS: &[&str] =
        &["", " ", ",", "=", "(", ")", "<", ">", "|", "::", "'", "\"", "#", "self", "Self", "é", "0", "skip", "as "];
    let text: Vec<char> = large().to_string().chars().collect();
    let mut numbers = Numbers(0x2545_F491_4F6C_DD1D);
    for _ in 0..1_000 {
        let mut damaged = text.clone();
        for _ in 0..=numbers.below(3) {
            let start = numbers.below(damaged.len());
            let end = (start + numbers.below(6)).min(damaged.len());
            damaged.splice(start..end, numbers.one_of(WORDS).chars());
        }
        derive_for(&damaged.into_iter().collect::<String>());
    }
}
