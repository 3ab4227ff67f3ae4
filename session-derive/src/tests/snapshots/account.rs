/// Lends a [`Account`] for change: one method for each field, which marks it.
pub(crate) struct View<'session, T: Into<Account<T, P, N>>, P, const N: usize = 4>
where
    P: Into<T>,
    P: my::sessions::__private::Session,
    Kind: my::sessions::__private::Session,
{
    __value: &'session mut Account<T, P, N>,
    __marks: &'session mut my::sessions::__private::OwnMarks<
        6,
        (
            <P as my::sessions::__private::Session>::Marks,
            (<Kind as my::sessions::__private::Session>::Marks, ()),
        ),
    >,
}
/// The tracked fields of a [`Account`].
pub(crate) enum Name<P>
where
    P: my::sessions::__private::Session,
    Kind: my::sessions::__private::Session,
{
    /// `number`.
    Number,
    /// `since`.
    Since,
    /// `secret`.
    Secret,
    /// `list`.
    #[deprecated]
    List,
    /// `table`.
    Table,
    /// `children`.
    Children,
    /// `profile`.
    Profile(<P as my::sessions::__private::Session>::Field),
    /// `type`.
    Type(<Kind as my::sessions::__private::Session>::Field),
}
const _: () = {
    use my::sessions::__private as __session;
    impl<'session, T: Into<Account<T, P, N>>, P, const N: usize> View<'session, T, P, N>
    where
        P: Into<T>,
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn number(self) -> &'session mut u64 {
            self.__marks.own[0] = true;
            &mut self.__value.number
        }
        #[inline]
        fn since(self) -> &'session mut SystemTime {
            self.__marks.own[1] = true;
            &mut self.__value.since
        }
        #[inline]
        fn secret(self) -> &'session mut Cow<'static, str> {
            self.__marks.own[2] = true;
            &mut self.__value.secret
        }
        #[deprecated]
        #[inline]
        fn list(self) -> &'session mut Vec<T> {
            self.__marks.own[3] = true;
            &mut self.__value.list
        }
        #[inline]
        fn table(self) -> &'session mut HashMap<String, [u8; N]> {
            self.__marks.own[4] = true;
            &mut self.__value.table
        }
        #[inline]
        fn children(self) -> &'session mut Vec<Account<T, P, N>> {
            self.__marks.own[5] = true;
            &mut self.__value.children
        }
        #[inline]
        fn profile(self) -> <P as __session::Session>::Edit<'session> {
            <P as __session::Session>::lend(
                &mut self.__value.profile,
                &mut self.__marks.nested.0,
            )
        }
        #[inline]
        fn r#type(self) -> <Kind as __session::Session>::Edit<'session> {
            <Kind as __session::Session>::lend(
                &mut self.__value.r#type,
                &mut self.__marks.nested.1.0,
            )
        }
        #[inline]
        fn marker(self) -> &'session mut PhantomData<T> {
            &mut self.__value.marker
        }
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        pub(crate) fn edit_all(self) -> &'session mut Account<T, P, N> {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl<P> __session::Clone for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl<P> __session::Copy for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {}
    #[automatically_derived]
    impl<P> __session::PartialEq for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl<P> __session::Eq for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {}
    #[automatically_derived]
    impl<P> __session::Hash for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl<P> __session::Debug for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl<P> __session::Field for Name<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn name(self) -> __session::Cow<'static, str> {
            match self {
                Self::Profile(field) => __session::nested_name("profile", field),
                Self::Type(field) => __session::nested_name("type", field),
                _ => __session::own_name(__FIELDS, __session::Field::index(self)),
            }
        }
        #[inline]
        fn index(self) -> usize {
            match self {
                Self::Number => 0,
                Self::Since => 1,
                Self::Secret => 2,
                Self::List => 3,
                Self::Table => 4,
                Self::Children => 5,
                Self::Profile(field) => 6 + __session::Field::index(field),
                Self::Type(field) => {
                    6 + <P as __session::Session>::LEN + __session::Field::index(field)
                }
            }
        }
        #[inline]
        fn from_index(index: usize) -> __session::Option<Self> {
            if index < 6 {
                return __session::nth(
                    &[
                        Self::Number,
                        Self::Since,
                        Self::Secret,
                        Self::List,
                        Self::Table,
                        Self::Children,
                    ],
                    index,
                );
            }
            let index = index - 6;
            if index < <P as __session::Session>::LEN {
                return <<P as __session::Session>::Field as __session::Field>::from_index(
                        index,
                    )
                    .map(Self::Profile);
            }
            let index = index - <P as __session::Session>::LEN;
            if index < <Kind as __session::Session>::LEN {
                return <<Kind as __session::Session>::Field as __session::Field>::from_index(
                        index,
                    )
                    .map(Self::Type);
            }
            __session::None
        }
    }
    pub struct __Marks<P>(
        __session::OwnMarks<
            6,
            (<P as __session::Session>::Marks, (<Kind as __session::Session>::Marks, ())),
        >,
    )
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session;
    impl<P> __session::Default for __Marks<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        #[inline]
        fn default() -> Self {
            Self(__session::Default::default())
        }
    }
    impl<P> __session::MarkSet for __Marks<P>
    where
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
    {
        const LEN: usize = <__session::OwnMarks<
            6,
            (<P as __session::Session>::Marks, (<Kind as __session::Session>::Marks, ())),
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
    pub struct __With_since;
    impl __session::Format<SystemTime> for __With_since {
        fn serialize<__S: __session::Serializer>(
            field: &SystemTime,
            serializer: __S,
        ) -> __session::Result<__S::Ok, __S::Error> {
            time::seconds::serialize(field, serializer)
        }
        fn deserialize<'__de, __D: __session::Deserializer<'__de>>(
            deserializer: __D,
        ) -> __session::Result<SystemTime, __D::Error> {
            time::seconds::deserialize(deserializer)
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[
        __session::FieldDef::new("id").aliases(&["ident", "no"]).pin(),
        __session::FieldDef::new("since").reject(),
        __session::FieldDef::new("secret").sensitive(),
        __session::FieldDef::new("list"),
        __session::FieldDef::new("table"),
        __session::FieldDef::new("children"),
    ];
    const _: () = {
        use __session::NoVersion as _;
        __session::assert!(
            < __session::VersionOf < AccountV1 >> ::VERSION < 2,
            "`from` migrates records of versions below 2, and this type has version 2 or a higher one; raise the session's `version`, or give the type the `version` it had"
        );
    };
    #[automatically_derived]
    impl<T: Into<Account<T, P, N>>, P, const N: usize> __session::Session
    for Account<T, P, N>
    where
        P: Into<T>,
        P: my::sessions::__private::Session,
        Kind: my::sessions::__private::Session,
        Account<T, P, N>: __session::Send + 'static,
        Vec<T>: __session::Serialize + __session::DeserializeOwned + __session::Default,
        HashMap<
            String,
            [u8; N],
        >: __session::Serialize + __session::DeserializeOwned + __session::Default,
        Vec<
            Account<T, P, N>,
        >: __session::Serialize + __session::DeserializeOwned + __session::Default,
        PhantomData<T>: __session::Default,
    {
        type Edit<'session> = View<'session, T, P, N>;
        type Field = Name<P>;
        type Index<'index> = __session::NoIndex;
        type Marks = __Marks<P>;
        const CONTAINER: __session::Container = __session::Container::new("account")
            .version(2)
            .persist_always();
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 6 + <P as __session::Session>::LEN
            + <Kind as __session::Session>::LEN;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __Marks<P>,
        ) -> View<'session, T, P, N> {
            View {
                __value: value,
                __marks: &mut marks.0,
            }
        }
        #[inline]
        fn initial() -> Self {
            Self {
                number: { random() },
                since: <SystemTime as __session::Initial>::initial(),
                secret: <Cow<'static, str> as __session::Initial>::initial(),
                list: <Vec<T> as __session::Initial>::initial(),
                table: <HashMap<String, [u8; N]> as __session::Initial>::initial(),
                children: <Vec<Account<T, P, N>> as __session::Initial>::initial(),
                profile: { P::new() },
                r#type: <Kind as __session::Session>::initial(),
                marker: <PhantomData<T> as __session::Initial>::initial(),
            }
        }
        fn nested(nesting: &mut impl __session::Nesting) {
            nesting.nest::<P>(__session::FieldDef::new("profile"));
            nesting.nest::<Kind>(__session::FieldDef::new("type").sensitive());
        }
        fn read<__V: __session::ReadField>(
            this: &Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::Some(
                match index {
                    0 => <u64 as __session::Stored>::read(&this.number, visitor),
                    1 => visitor.read::<SystemTime, __With_since>(&this.since),
                    2 => {
                        <Cow<
                            'static,
                            str,
                        > as __session::Stored>::read(&this.secret, visitor)
                    }
                    3 => <Vec<T> as __session::Stored>::read(&this.list, visitor),
                    4 => {
                        <HashMap<
                            String,
                            [u8; N],
                        > as __session::Stored>::read(&this.table, visitor)
                    }
                    5 => {
                        <Vec<
                            Account<T, P, N>,
                        > as __session::Stored>::read(&this.children, visitor)
                    }
                    _ => {
                        let index = index - 6;
                        if index < <P as __session::Session>::LEN {
                            return <P as __session::Session>::read(
                                &this.profile,
                                index,
                                visitor,
                            );
                        }
                        let index = index - <P as __session::Session>::LEN;
                        if index < <Kind as __session::Session>::LEN {
                            return <Kind as __session::Session>::read(
                                &this.r#type,
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
                        <u64 as __session::Stored>::write(
                            &mut this.number,
                            visitor,
                            __session::None,
                        )
                    }
                    1 => {
                        visitor
                            .write::<
                                SystemTime,
                                __With_since,
                            >(&mut this.since, __session::None)
                    }
                    2 => {
                        <Cow<
                            'static,
                            str,
                        > as __session::Stored>::write(
                            &mut this.secret,
                            visitor,
                            __session::None,
                        )
                    }
                    3 => {
                        <Vec<
                            T,
                        > as __session::Stored>::write(
                            &mut this.list,
                            visitor,
                            __session::None,
                        )
                    }
                    4 => {
                        <HashMap<
                            String,
                            [u8; N],
                        > as __session::Stored>::write(
                            &mut this.table,
                            visitor,
                            __session::None,
                        )
                    }
                    5 => {
                        <Vec<
                            Account<T, P, N>,
                        > as __session::Stored>::write(
                            &mut this.children,
                            visitor,
                            __session::None,
                        )
                    }
                    _ => {
                        let index = index - 6;
                        if index < <P as __session::Session>::LEN {
                            return <P as __session::Session>::write(
                                &mut this.profile,
                                index,
                                visitor,
                            );
                        }
                        let index = index - <P as __session::Session>::LEN;
                        if index < <Kind as __session::Session>::LEN {
                            return <Kind as __session::Session>::write(
                                &mut this.r#type,
                                index,
                                visitor,
                            );
                        }
                        return __session::None;
                    }
                },
            )
        }
        fn previous<__P: __session::Previous<Self>>(previous: __P) -> __P::Output {
            previous.from::<AccountV1>()
        }
    }
};
