//! Where an expression ends, without a parser for expressions.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};

use crate::expr::take_expr;

/// Every kind of expression, and none may be cut at a comma of its own.
const EXPRESSIONS: &[&str] = &[
    "7",
    "-1",
    "!x",
    "*x",
    "&mut x",
    "&raw const x",
    "a + b * c",
    "a < b",
    "a > b && c < d",
    "a << 2 >> 1",
    "a | b | c",
    "a || b",
    "|a, b| a + b",
    "|a, (b, c): (u8, u8)| -> Result<u8, Error> { Ok(a) }",
    "|| 3",
    "move |_| 3",
    "async move { 3 }",
    "map(|a, b| a, |c| c)",
    "HashMap::<String, Vec<u8>>::new()",
    "<[u8; 2] as Into<Vec<u8>>>::into(x)",
    "&<u8 as Trait<A, B>>::VALUE",
    "x as HashMap<A, B>",
    "x as u8 + 1",
    "x as fn(A, B) -> C",
    "iter.collect::<Result<Vec<_>, _>>()?",
    "a.await",
    "a.0.1",
    "a[(1, 2)]",
    "(1, 2)",
    "[1, 2]",
    "[0; 3]",
    "Point { x: 1, y: 2 }",
    "Point { x: 1, ..Point::default() }.x",
    "1..2",
    "1..=2",
    "1..",
    "..",
    "..2",
    "if a { 1 } else if b { 2 } else { 3 }",
    "if let Some(x) | Ok(x) = y { x } else { 0 }",
    "match x { 1 | 2 => a, _ => b }",
    "loop { break 3 }",
    "'a: loop { break 'a 3 }",
    "'a: { break 'a 3 }",
    "while a { b() }",
    "for a in b { c() }",
    "unsafe { a }",
    "const { 3 }",
    "return",
    "return 3",
    "break 'a b",
    "continue",
    "let Some(a) = b",
    "vec![1, 2]",
    "format!(\"{}, {}\", a, b)",
    "path::to::mac! { a, b }",
    "b'x'",
    "c\"x\"",
    "r#\"a, b\"#",
    "true",
    "a = b",
    "a += b",
    "a ?",
    "(|a| a)(1)",
    "Self::CONST",
    "crate::value()",
    "r#type",
];

#[test]
fn an_expression_ends_at_its_comma() {
    for expression in EXPRESSIONS {
        let tokens: TokenStream = expression.parse().expect("an expression is tokens");
        let parser = |input: ParseStream| {
            let taken = take_expr(input)?;
            input.parse::<Token![,]>()?;
            let next: Ident = input.parse()?;
            assert_eq!(next, "pin", "{expression}");
            Ok(taken)
        };
        let taken = parser.parse2(quote::quote!(#tokens, pin)).unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(taken.to_string().replace(' ', ""), tokens.to_string().replace(' ', ""), "{expression}");
        let alone = take_expr.parse2(tokens).unwrap_or_else(|error| panic!("{expression}: {error}"));
        syn::parse2::<syn::Expr>(alone).unwrap_or_else(|error| panic!("{expression}: {error}"));
    }
}

#[test]
fn half_an_expression_is_an_error_and_not_a_broken_expansion() {
    for half in ["", "1 +", "a b", "1 2", "a.b c", "&", "x as", "|a", "|a|", "<u8 as", "Vec::<u8", "f() g()"] {
        let tokens: TokenStream = half.parse().expect("tokens");
        assert!(take_expr.parse2(tokens).is_err(), "{half}");
    }
}
