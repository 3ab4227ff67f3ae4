/// Lends a [`Pair`] for change: one method for each field, which marks it.
struct PairEdit<'session> {
    __value: &'session mut Pair,
    __marks: &'session mut ::session_runtime::__private::OwnMarks<1>,
}
/// The tracked fields of a [`Pair`].
enum PairField {
    _0,
}
const _: () = {
    use ::session_runtime::__private as __session;
    impl<'session> PairEdit<'session> {
        #[inline]
        fn _0(self) -> &'session mut u8 {
            self.__marks.own[0] = true;
            &mut self.__value.0
        }
        /// Lends `1` for change.
        #[inline]
        pub fn _1(self) -> &'session mut u8 {
            &mut self.__value.1
        }
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        fn edit_all(self) -> &'session mut Pair {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl __session::Clone for PairField {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl __session::Copy for PairField {}
    #[automatically_derived]
    impl __session::PartialEq for PairField {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl __session::Eq for PairField {}
    #[automatically_derived]
    impl __session::Hash for PairField {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl __session::Debug for PairField {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl __session::Field for PairField {
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
            __session::nth(&[Self::_0], index)
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[__session::FieldDef::new("0")];
    #[automatically_derived]
    impl __session::Session for Pair {
        type Edit<'session> = PairEdit<'session>;
        type Field = PairField;
        type Index<'index> = __session::NoIndex;
        type Marks = __session::OwnMarks<1>;
        const CONTAINER: __session::Container = __session::Container::new("Pair");
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 1;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __session::OwnMarks<1>,
        ) -> PairEdit<'session> {
            PairEdit {
                __value: value,
                __marks: marks,
            }
        }
        #[inline]
        fn initial() -> Self {
            Self {
                0: <u8 as __session::Initial>::initial(),
                1: { 7 },
            }
        }
        fn read<__V: __session::ReadField>(
            this: &Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::Some(
                match index {
                    0 => <u8 as __session::Stored>::read(&this.0, visitor),
                    _ => return __session::None,
                },
            )
        }
        fn write<__V: __session::WriteField>(
            this: &mut Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::Some(
                match index {
                    0 => {
                        <u8 as __session::Stored>::write(
                            &mut this.0,
                            visitor,
                            __session::None,
                        )
                    }
                    _ => return __session::None,
                },
            )
        }
    }
};
