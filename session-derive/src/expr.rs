//! Finds the end of an expression without a parser for expressions.
//!
//! syn parses all of Rust's expressions only with its feature `full`, which would lengthen every user's build. The
//! list of attributes only needs to know where an expression ends: at a comma outside of all brackets. Brackets that
//! are groups of tokens hide their commas; the arguments of a path, a cast's type and a closure's parameters are the other places where one may stand.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Result};
use syn::{AngleBracketedGenericArguments, BinOp, Ident, Lifetime, Lit, Token, Type, TypePath};

/// Takes the tokens of one expression, up to a comma or the end.
pub(crate) fn take_expr(input: ParseStream) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut last = Last::Operator;
    let mut span = input.span();
    while !input.is_empty() && !input.peek(Token![,]) {
        span = input.span();
        if last.wants_operand() && input.peek(Token![<]) {
            input.parse::<TypePath>()?.to_tokens(&mut tokens);
            last = Last::Operand;
        } else if last.wants_operand() && input.peek(Token![|]) {
            closure_head(input, &mut tokens)?;
        } else if input.peek(Token![::]) && input.peek3(Token![<]) {
            input.parse::<AngleBracketedGenericArguments>()?.to_tokens(&mut tokens);
            last = Last::Operand;
        } else if input.peek(Token![as]) {
            input.parse::<Token![as]>()?.to_tokens(&mut tokens);
            Type::without_plus(input)?.to_tokens(&mut tokens);
            last = Last::Operand;
        } else if input.peek(Lifetime) {
            input.parse::<Lifetime>()?.to_tokens(&mut tokens);
            last = Last::Keyword;
        } else if last == Last::Operand
            && let Ok(operator) = input.parse::<BinOp>()
        {
            // Whole, so that the second half of `<<` or `||` is not taken for a path or a closure.
            operator.to_tokens(&mut tokens);
            last = Last::Operator;
        } else if last == Last::Operand && (input.peek(Ident) || input.peek(Lit)) {
            return Err(input.error("expected an operator"));
        } else {
            let keyword = input.peek(Ident::peek_any) && !input.peek(Ident) && !input.peek(Lit);
            let token: TokenTree = input.parse()?;
            last = match &token {
                TokenTree::Punct(punct) if punct.as_char() == '?' => Last::Operand,
                TokenTree::Punct(punct) if punct.as_char() == '.' => Last::Dot,
                TokenTree::Punct(_) => Last::Operator,
                TokenTree::Ident(_) if keyword => Last::Keyword,
                TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Literal(_) => Last::Operand,
            };
            tokens.extend([token]);
        }
    }
    // `1 +` would end the whole expansion in the middle.
    if last == Last::Operator { Err(syn::Error::new(span, "expected an expression")) } else { Ok(tokens) }
}

/// What the last token was. Behind an operator or a keyword `|` opens a closure and `<` a path; elsewhere both are
/// operators.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Operator,
    Operand,
    /// Behind it an operand may come or not: `return`, `return 1`, `self`, `'outer`.
    Keyword,
    /// Of `a.b`, `1..` or `..`
    Dot,
}

impl Last {
    fn wants_operand(self) -> bool {
        self != Self::Operand
    }
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
