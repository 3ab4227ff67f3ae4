/// Lends a [`Ticket`] for change: one method for each field, which marks it.
pub struct TicketEdit<'session, T, O> {
    __value: &'session mut Ticket<T, O>,
    __marks: &'session mut ::session_runtime::__private::OwnMarks<4>,
}
/// The tracked fields of a [`Ticket`].
#[allow(clippy::exhaustive_enums)]
pub enum TicketField {
    /// `visits`.
    Visits,
    /// Whose it is.
    Owner,
    /// `card`.
    Card,
    /// `other`.
    Other,
}
/// A value by which a [`Ticket`] can be found.
#[allow(dead_code, private_interfaces)]
#[allow(clippy::exhaustive_enums)]
pub enum TicketBy<'index, T> {
    /// Whose it is.
    Owner(&'index Option<T>),
    /// A value of `card`.
    Card(&'index [u8; 8]),
}
const _: () = {
    use ::session_runtime::__private as __session;
    impl<'session, T, O> TicketEdit<'session, T, O> {
        #[inline]
        fn visits(self) -> &'session mut u32 {
            self.__marks.own[0] = true;
            &mut self.__value.visits
        }
        /// Whose it is.
        #[inline]
        fn owner(self) -> &'session mut Option<T> {
            self.__marks.own[1] = true;
            &mut self.__value.owner
        }
        #[inline]
        fn card(self) -> &'session mut [u8; 8] {
            self.__marks.own[2] = true;
            &mut self.__value.card
        }
        #[inline]
        fn other(self) -> &'session mut O {
            self.__marks.own[3] = true;
            &mut self.__value.other
        }
        /// Lends the whole session and marks every field; comparing finds which ones changed.
        #[inline]
        pub fn edit_all(self) -> &'session mut Ticket<T, O> {
            __session::MarkSet::fill(self.__marks, true);
            self.__value
        }
    }
    #[automatically_derived]
    impl __session::Clone for TicketField {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl __session::Copy for TicketField {}
    #[automatically_derived]
    impl __session::PartialEq for TicketField {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            __session::Field::index(*self) == __session::Field::index(*other)
        }
    }
    #[automatically_derived]
    impl __session::Eq for TicketField {}
    #[automatically_derived]
    impl __session::Hash for TicketField {
        #[inline]
        fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
            __session::Hash::hash(&__session::Field::index(*self), state);
        }
    }
    #[automatically_derived]
    impl __session::Debug for TicketField {
        #[inline]
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            __session::debug_field(*self, f)
        }
    }
    #[automatically_derived]
    impl __session::Field for TicketField {
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
            __session::nth(&[Self::Visits, Self::Owner, Self::Card, Self::Other], index)
        }
    }
    #[automatically_derived]
    impl<'index, T> __session::Clone for TicketBy<'index, T> {
        #[inline]
        fn clone(&self) -> Self {
            *self
        }
    }
    #[automatically_derived]
    impl<'index, T> __session::Copy for TicketBy<'index, T> {}
    #[automatically_derived]
    impl<'index, T> __session::Debug for TicketBy<'index, T> {
        fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
            f.write_str(
                match self {
                    Self::Owner(_) => "TicketBy::Owner(..)",
                    Self::Card(_) => "TicketBy::Card(..)",
                },
            )
        }
    }
    pub struct __With_card;
    impl __session::Format<[u8; 8]> for __With_card {
        fn serialize<__S: __session::Serializer>(
            field: &[u8; 8],
            serializer: __S,
        ) -> __session::Result<__S::Ok, __S::Error> {
            hex::serialize(field, serializer)
        }
        fn deserialize<'__de, __D: __session::Deserializer<'__de>>(
            deserializer: __D,
        ) -> __session::Result<[u8; 8], __D::Error> {
            hex::deserialize(deserializer)
        }
    }
    const __FIELDS: &[__session::FieldDef] = &[
        __session::FieldDef::new("visits"),
        __session::FieldDef::new("owner").index(),
        __session::FieldDef::new("card").sensitive().index(),
        __session::FieldDef::new("other"),
    ];
    #[automatically_derived]
    impl<T, O> __session::Session for Ticket<T, O>
    where
        Ticket<T, O>: __session::Send + 'static,
        Option<
            T,
        >: __session::Serialize + __session::DeserializeOwned + __session::Default
            + __session::Indexed,
        O: __session::Serialize + __session::DeserializeOwned + __session::Default,
    {
        type Edit<'session> = TicketEdit<'session, T, O>;
        type Field = TicketField;
        type Index<'index> = TicketBy<'index, T>;
        type Marks = __session::OwnMarks<4>;
        const CONTAINER: __session::Container = __session::Container::new("ticket");
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = 4;
        #[inline]
        fn lend<'session>(
            value: &'session mut Self,
            marks: &'session mut __session::OwnMarks<4>,
        ) -> TicketEdit<'session, T, O> {
            TicketEdit {
                __value: value,
                __marks: marks,
            }
        }
        #[inline]
        fn initial() -> Self {
            Self {
                visits: <u32 as __session::Initial>::initial(),
                owner: <Option<T> as __session::Initial>::initial(),
                card: <[u8; 8] as __session::Initial>::initial(),
                other: <O as __session::Initial>::initial(),
            }
        }
        fn read<__V: __session::ReadField>(
            this: &Self,
            index: usize,
            visitor: __V,
        ) -> __session::Option<__V::Output> {
            __session::Some(
                match index {
                    0 => <u32 as __session::Stored>::read(&this.visits, visitor),
                    1 => <Option<T> as __session::Stored>::read(&this.owner, visitor),
                    2 => visitor.read::<[u8; 8], __With_card>(&this.card),
                    3 => <O as __session::Stored>::read(&this.other, visitor),
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
                        <u32 as __session::Stored>::write(
                            &mut this.visits,
                            visitor,
                            __session::None,
                        )
                    }
                    1 => {
                        <Option<
                            T,
                        > as __session::Stored>::write(
                            &mut this.owner,
                            visitor,
                            __session::None,
                        )
                    }
                    2 => {
                        visitor
                            .write::<
                                [u8; 8],
                                __With_card,
                            >(&mut this.card, __session::None)
                    }
                    3 => {
                        <O as __session::Stored>::write(
                            &mut this.other,
                            visitor,
                            __session::None,
                        )
                    }
                    _ => return __session::None,
                },
            )
        }
        fn indexed<__V: __session::ReadField>(
            value: Self::Index<'_>,
            visitor: __V,
        ) -> __session::Option<(usize, __V::Output)> {
            match value {
                TicketBy::Owner(value) => {
                    <Option<T> as __session::Indexed>::CHECKED;
                    __session::Some((
                        1,
                        <Option<T> as __session::Stored>::read(value, visitor),
                    ))
                }
                TicketBy::Card(value) => {
                    <[u8; 8] as __session::Indexed>::CHECKED;
                    __session::Some((2, visitor.read::<[u8; 8], __With_card>(value)))
                }
            }
        }
    }
};
