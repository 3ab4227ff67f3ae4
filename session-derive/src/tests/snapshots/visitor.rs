/// Lends a [`Visitor`] for change: one method for each field, which marks it.
pub struct VisitorEdit<'session>
where
    Prefs: ::session_runtime::__private::Session,
{
    __value: &'session mut Visitor,
    __marks: &'session mut ::session_runtime::__private::OwnMarks<
        3,
        (<Prefs as ::session_runtime::__private::Session>::Marks, ()),
    >,
}
/// The tracked fields of a [`Visitor`].
#[allow(clippy::exhaustive_enums)]
pub enum VisitorField
where
    Prefs: ::session_runtime::__private::Session,
{
    /// How often the visitor came.
    Visits,
    /// `theme`.
    Theme,
    /// `cart`.
    Cart,
    /// `prefs`.
    Prefs(<Prefs as ::session_runtime::__private::Session>::Field),
}
const _: () = {
    use ::session_runtime::__private as __session;
    impl<'session> VisitorEdit<'session>
    where
        Prefs: ::session_runtime::__private::Session,
    {
        /// How often the visitor came.
        #[inline]
        fn visits(self) -> &'session mut u32 {
            self.__marks.own[0] = true;
            &mut self.__value.visits
        }
        /// Lends `theme` for change.
        #[inline]
        pub fn theme(self) -> &'session mut String {
            self.__marks.own[1] = true;
            &mut self.__value.theme
        }
        #[inline]
        fn cart(self) -> &'session mut Vec<Item> {
            self.__marks.own[2] = true;
            &mut self.__value.cart
        }
        #[inline]
        fn prefs(self) -> <Prefs as __session::Session>::Edit<'session> {
            <Prefs as __session::Session>::lend(
                &mut self.__value.prefs,
                &mut self.__marks.nested.0,
            )
        }
        #[inline]
        fn request_id(self) -> &'session mut Option<String> {
            &mut self.__value.request_id
        }
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        pub fn edit_all(self) -> &'session mut Visitor {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl __session::Clone for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl __session::Copy for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {}
    #[automatically_derived]
    impl __session::PartialEq for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl __session::Eq for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {}
    #[automatically_derived]
    impl __session::Hash for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl __session::Debug for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl __session::Field for VisitorField
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn name(self) -> __session::Cow<'static, str> {
            match self {
                Self::Prefs(field) => __session::nested_name("prefs", field),
                _ => __session::own_name(__FIELDS, __session::Field::index(self)),
            }
        }
        #[inline]
        fn index(self) -> usize {
            match self {
                Self::Visits => 0,
                Self::Theme => 1,
                Self::Cart => 2,
                Self::Prefs(field) => 3 + __session::Field::index(field),
            }
        }
        #[inline]
        fn from_index(index: usize) -> __session::Option<Self> {
            if index < 3 {
                return __session::nth(&[Self::Visits, Self::Theme, Self::Cart], index);
            }
            let index = index - 3;
            if index < <Prefs as __session::Session>::LEN {
                return <<Prefs as __session::Session>::Field as __session::Field>::from_index(
                        index,
                    )
                    .map(Self::Prefs);
            }
            __session::None
        }
    }
    pub struct __Marks(
        __session::OwnMarks<3, (<Prefs as __session::Session>::Marks, ())>,
    )
    where
        Prefs: ::session_runtime::__private::Session;
    impl __session::Default for __Marks
    where
        Prefs: ::session_runtime::__private::Session,
    {
        #[inline]
        fn default() -> Self {
            Self(__session::Default::default())
        }
    }
    impl __session::MarkSet for __Marks
    where
        Prefs: ::session_runtime::__private::Session,
    {
        const LEN: usize = <__session::OwnMarks<
            3,
            (<Prefs as __session::Session>::Marks, ()),
        > as __session::MarkSet>::LEN;
        #[inline]
        fn any(&self) -> bool {
            __session::MarkSet::any(&self.0)
        }
        #[inline]
        fn get(&self, index: usize) -> bool {
            __session::MarkSet::get(&self.0, index)
        }
        #[inline]
        fn set(&mut self, index: usize, marked: bool) {
            __session::MarkSet::set(&mut self.0, index, marked);
        }
        #[inline]
        fn fill(&mut self, marked: bool) {
            __session::MarkSet::fill(&mut self.0, marked);
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[
        __session::FieldDef::new("visits"),
        __session::FieldDef::new("theme"),
        __session::FieldDef::new("cart").unordered(),
    ];
    #[automatically_derived]
    impl __session::Session for Visitor
    where
        Prefs: ::session_runtime::__private::Session,
    {
        type Edit<'session> = VisitorEdit<'session>;
        type Field = VisitorField;
        type Index<'index> = __session::NoIndex;
        type Marks = __Marks;
        const CONTAINER: __session::Container = __session::Container::new("Visitor");
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 3 + <Prefs as __session::Session>::LEN;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __Marks,
        ) -> VisitorEdit<'session> {
            VisitorEdit {
                __value: value,
                __marks: &mut marks.0,
            }
        }
        #[inline]
        fn initial() -> Self {
            Self {
                visits: <u32 as __session::Initial>::initial(),
                theme: { "light".to_owned() },
                cart: <Vec<Item> as __session::Initial>::initial(),
                prefs: <Prefs as __session::Session>::initial(),
                request_id: <Option<String> as __session::Initial>::initial(),
            }
        }
        fn nested(nesting: &mut impl __session::Nesting) {
            nesting.nest::<Prefs>(__session::FieldDef::new("prefs"));
        }
        fn read<__V: __session::ReadField>(
            this: &Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::Some(
                match index {
                    0 => <u32 as __session::Stored>::read(&this.visits, visitor),
                    1 => <String as __session::Stored>::read(&this.theme, visitor),
                    2 => <Vec<Item> as __session::Stored>::read(&this.cart, visitor),
                    _ => {
                        let index = index - 3;
                        if index < <Prefs as __session::Session>::LEN {
                            return <Prefs as __session::Session>::read(
                                &this.prefs,
                                index,
                                visitor,
                            );
                        }
                        return __session::None;
                    }
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
                        <u32 as __session::Stored>::write(
                            &mut this.visits,
                            visitor,
                            __session::None,
                        )
                    }
                    1 => {
                        <String as __session::Stored>::write(
                            &mut this.theme,
                            visitor,
                            __session::None,
                        )
                    }
                    2 => {
                        let merge: __session::Merge<Vec<Item>> = merge::union;
                        <Vec<
                            Item,
                        > as __session::Stored>::write(
                            &mut this.cart,
                            visitor,
                            __session::Some(merge),
                        )
                    }
                    _ => {
                        let index = index - 3;
                        if index < <Prefs as __session::Session>::LEN {
                            return <Prefs as __session::Session>::write(
                                &mut this.prefs,
                                index,
                                visitor,
                            );
                        }
                        return __session::None;
                    }
                },
            )
        }
    }
};
