//! Finds the end of an expression without a parser for expressions.
//!
//! syn parses all of Rust's expressions only with its feature `full`, which would lengthen every user's build. The
//! list of attributes only needs to know where an expression ends: at a comma outside of all brackets. Brackets that
//! are groups of tokens hide their commas; the three places below are the others where one may stand.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Result};
use syn::{AngleBracketedGenericArguments, Token, Type, TypePath};

/// Takes the tokens of one expression, up to a comma or the end.
pub(crate) fn take_expr(input: ParseStream) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    // Whether an operand comes next: there `|` opens a closure and `<` a path, elsewhere both are operators.
    let mut operand = true;
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.peek(Token![::]) && input.peek3(Token![<]) {
            input.parse::<AngleBracketedGenericArguments>()?.to_tokens(&mut tokens);
            operand = false;
        } else if operand && input.peek(Token![<]) {
            input.parse::<TypePath>()?.to_tokens(&mut tokens);
            operand = false;
        } else if operand && input.peek(Token![|]) {
            closure_head(input, &mut tokens)?;
        } else if input.peek(Token![as]) {
            input.parse::<Token![as]>()?.to_tokens(&mut tokens);
            Type::without_plus(input)?.to_tokens(&mut tokens);
            operand = false;
        } else {
            let token: TokenTree = input.parse()?;
            operand = before_operand(&token);
            tokens.extend([token]);
        }
    }
    if tokens.is_empty() { Err(input.error("expected an expression")) } else { Ok(tokens) }
}

/// `|a, b: u8| -> u8`
fn closure_head(input: ParseStream, tokens: &mut TokenStream) -> Result<()> {
    input.parse::<Token![|]>()?.to_tokens(tokens);
    while !input.peek(Token![|]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    input.parse::<Token![|]>()?.to_tokens(tokens);
    if input.peek(Token![->]) {
        input.parse::<Token![->]>()?.to_tokens(tokens);
        input.parse::<Type>()?.to_tokens(tokens);
    }
    Ok(())
}

/// Whether an operand follows this token.
fn before_operand(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(punct) => punct.as_char() != '?',
        TokenTree::Ident(ident) => {
            ["async", "break", "else", "if", "in", "match", "move", "mut", "return", "static", "while"]
                .iter()
                .any(|keyword| ident == keyword)
        }
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}
