use proc_macro2::Ident;

use super::bounds::Bounds;
use crate::model::Model;
use crate::names::respanned;

/// A struct, and what several generated items say of it.
pub(crate) struct Items<'a> {
    pub(crate) model: &'a Model<'a>,
    pub(crate) bounds: Bounds<'a>,
    pub(crate) ident: Ident,
}

impl<'a> Items<'a> {
    pub(crate) fn new(model: &'a Model<'a>) -> Self {
        Self { model, bounds: Bounds::new(model), ident: respanned(model.ident) }
    }
}
