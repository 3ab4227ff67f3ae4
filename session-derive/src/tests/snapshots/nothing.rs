/// Lends a [`Nothing`] for change: one method for each field, which marks it.
struct NothingEdit<'session> {
    __value: &'session mut Nothing,
    __marks: &'session mut ::session_runtime::__private::OwnMarks<0>,
}
/// The tracked fields of a [`Nothing`].
enum NothingField {}
const _: () = {
    use ::session_runtime::__private as __session;
    impl<'session> NothingEdit<'session> {
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        fn edit_all(self) -> &'session mut Nothing {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl __session::Clone for NothingField {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl __session::Copy for NothingField {}
    #[automatically_derived]
    impl __session::PartialEq for NothingField {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl __session::Eq for NothingField {}
    #[automatically_derived]
    impl __session::Hash for NothingField {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl __session::Debug for NothingField {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl __session::Field for NothingField {
        #[inline]
        fn name(self) -> __session::Cow<'static, str> {
            match self {}
        }
        #[inline]
        fn index(self) -> usize {
            match self {}
        }
        #[inline]
        fn from_index(index: usize) -> __session::Option<Self> {
            __session::nth(&[], index)
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[];
    #[automatically_derived]
    impl __session::Session for Nothing {
        type Edit<'session> = NothingEdit<'session>;
        type Field = NothingField;
        type Index<'index> = __session::NoIndex;
        type Marks = __session::OwnMarks<0>;
        const CONTAINER: __session::Container = __session::Container::new("Nothing");
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 0;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __session::OwnMarks<0>,
        ) -> NothingEdit<'session> {
            NothingEdit {
                __value: value,
                __marks: marks,
            }
        }
        #[inline]
        fn initial() -> Self {
            Self {}
        }
        fn read<__V: __session::ReadField>(
            this: &Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::None
        }
        fn write<__V: __session::WriteField>(
            this: &mut Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::None
        }
    }
};
