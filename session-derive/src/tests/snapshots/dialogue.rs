::core::compile_error! {
    "`Session` is derived for structs, because fields are what it tracks, and this is an enum; make it a field:\n#[derive(Session)]\nstruct DialogueSession {\n    state: Dialogue,\n}"
}
const _: () = {
    use ::session_runtime::__private as __session;
    #[automatically_derived]
    impl<T> __session::Session for Dialogue<T> {
        type Edit<'__session> = &'__session mut Self;
        type Field = __session::NoField;
        type Index<'__session> = __session::NoIndex;
        type Marks = __session::OwnMarks<0>;
        const CONTAINER: __session::Container = __session::Container::new("Dialogue");
        const FIELDS: &'static [__session::FieldDef] = &[];
        const LEN: usize = 0;
        fn initial() -> Self {
            loop {}
        }
        fn lend<'__session>(
            value: &'__session mut Self,
            _: &'__session mut Self::Marks,
        ) -> Self::Edit<'__session> {
            value
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
