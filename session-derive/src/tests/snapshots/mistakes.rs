::core::compile_error! {
    "unknown attribute `defualt`: did you mean `initial = expression`?\na field takes: initial, skip, nested, rename, alias, with, pin, unordered, merge, conflict, index, sensitive, serde"
}
::core::compile_error! {
    "a generic session needs a name of its own, because its type's name does not tell its instances apart; write `#[session(name = \"…\")]`"
}
::core::compile_error! {
    "the fields `foo_bar` and `foo__bar` would both be `FooBar` in the generated enum; rename one, and write `#[session(rename = \"foo__bar\")]` to keep the name it is stored under"
}
/// Lends a [`Visitor`] for change: one method for each field, which marks it.
struct VisitorEdit<'session, T> {
    __value: &'session mut Visitor<T>,
    __marks: &'session mut ::session_runtime::__private::OwnMarks<2>,
}
/// The tracked fields of a [`Visitor`].
enum VisitorField {
    FooBar,
    Last,
}
const _: () = {
    use ::session_runtime::__private as __session;
    impl<'session, T> VisitorEdit<'session, T> {
        #[inline]
        fn foo_bar(self) -> &'session mut u32 {
            self.__marks.own[0] = true;
            &mut self.__value.foo_bar
        }
        #[inline]
        fn last(self) -> &'session mut String {
            self.__marks.own[1] = true;
            &mut self.__value.last
        }
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        fn edit_all(self) -> &'session mut Visitor<T> {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl __session::Clone for VisitorField {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl __session::Copy for VisitorField {}
    #[automatically_derived]
    impl __session::PartialEq for VisitorField {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl __session::Eq for VisitorField {}
    #[automatically_derived]
    impl __session::Hash for VisitorField {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl __session::Debug for VisitorField {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl __session::Field for VisitorField {
        #[inline]
        fn name(self) -> __session::Cow<'static, str> {
            __session::own_name(__FIELDS, __session::Field::index(self))
        }
        #[inline]
        fn index(self) -> usize {
            self as usize
        }
        #[inline]
        fn from_index(index: usize) -> __session::Option<Self> {
            __session::nth(&[Self::FooBar, Self::Last], index)
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[
        __session::FieldDef::new("foo_bar").pin(),
        __session::FieldDef::new("last"),
    ];
    #[automatically_derived]
    impl<T> __session::Session for Visitor<T>
    where
        Visitor<T>: __session::Send + 'static,
    {
        type Edit<'session> = VisitorEdit<'session, T>;
        type Field = VisitorField;
        type Index<'index> = __session::NoIndex;
        type Marks = __session::OwnMarks<2>;
        const CONTAINER: __session::Container = __session::Container::new("Visitor");
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 2;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __session::OwnMarks<2>,
        ) -> VisitorEdit<'session, T> {
            VisitorEdit {
                __value: value,
                __marks: marks,
            }
        }
        fn initial() -> Self {
            loop {}
        }
        fn read<__V: __session::ReadField>(
            _: &Self,
            _: usize,
            _: __V,
        ) -> __session::Option<__V::Output> {
            __session::None
        }
        fn write<__V: __session::WriteField>(
            _: &mut Self,
            _: usize,
            _: __V,
        ) -> __session::Option<__V::Output> {
            __session::None
        }
    }
};
