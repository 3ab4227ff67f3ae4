//! Each attribute has a passing case in `ui/pass` and a failing one of the same name in `ui/attributes`. The failing
//! cases are grouped by the pass that finds the mistake: the parser of attributes, the checks across attributes and
//! fields, the compiler's own checks of types. `TRYBUILD=overwrite cargo test -p session-tests --test compile` records
//! their messages, which depend on the compiler's version.

#[test]
fn sessions_that_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn mistakes_in_attributes_and_types() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/attributes/*.rs");
    cases.compile_fail("ui/check/*.rs");
    cases.compile_fail("ui/types/*.rs");
}
