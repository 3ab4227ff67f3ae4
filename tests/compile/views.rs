//! What the generated view does to the value and to its marks.

use std::collections::HashSet;

use session_runtime::__private::MarkSet;
use session_runtime::{Field, Session, Tracked};

#[derive(Session)]
struct Visitor {
    visits: u32,
    theme: String,
    #[session(nested)]
    prefs: Prefs,
    #[session(skip)]
    request: u64,
    #[session(nested)]
    other: Prefs,
    last: bool,
}

#[derive(Session)]
struct Prefs {
    size: u8,
    #[session(nested)]
    deep: Deep,
}

#[derive(Session)]
struct Deep {
    first: u8,
    second: u8,
}

type Marks = <Visitor as Session>::Marks;

/// The places of the marks that one change sets.
fn set_by(change: impl FnOnce(VisitorEdit<'_>)) -> Vec<usize> {
    let (mut visitor, mut marks) = (Visitor::initial(), Marks::default());
    change(Visitor::lend(&mut visitor, &mut marks));
    let set: Vec<usize> = (0..Marks::LEN).filter(|&index| marks.get(index)).collect();
    assert_eq!(marks.any(), !set.is_empty());
    set
}

#[test]
fn a_method_marks_its_field_and_no_other() {
    assert_eq!(set_by(|edit| *edit.visits() += 1), [0]);
    assert_eq!(set_by(|edit| edit.theme().push('x')), [1]);
    assert_eq!(set_by(|edit| *edit.last() = true), [2]);
    assert_eq!(set_by(|edit| *edit.prefs().size() = 1), [3]);
    assert_eq!(set_by(|edit| *edit.prefs().deep().first() = 1), [4]);
    assert_eq!(set_by(|edit| *edit.prefs().deep().second() = 1), [5]);
    assert_eq!(set_by(|edit| *edit.other().size() = 1), [6]);
    assert_eq!(set_by(|edit| *edit.other().deep().second() = 1), [8]);
    assert_eq!(set_by(|edit| *edit.request() = 1), [0; 0]);
    assert_eq!(set_by(|_| {}), [0; 0]);
}

#[test]
fn edit_all_marks_what_its_view_lends() {
    assert_eq!(set_by(|edit| edit.prefs().edit_all().size = 1), [3, 4, 5]);
    assert_eq!(set_by(|edit| edit.other().deep().edit_all().second = 1), [7, 8]);
    assert_eq!(set_by(|edit| edit.edit_all().visits = 1), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn marks_can_be_set_one_by_one() {
    let mut marks = Marks::default();
    for index in 0..Marks::LEN {
        marks.set(index, true);
        assert_eq!((0..20).filter(|&other| marks.get(other)).collect::<Vec<_>>(), [index]);
        marks.set(index, false);
    }
    marks.set(9, true);
    assert!(!marks.any(), "there is no tenth field");
}

#[test]
fn fields_are_named_in_the_order_of_their_marks() {
    let all: Vec<_> = (0..).map_while(VisitorField::from_index).collect();
    let expected = [
        VisitorField::Visits,
        VisitorField::Theme,
        VisitorField::Last,
        VisitorField::Prefs(PrefsField::Size),
        VisitorField::Prefs(PrefsField::Deep(DeepField::First)),
        VisitorField::Prefs(PrefsField::Deep(DeepField::Second)),
        VisitorField::Other(PrefsField::Size),
        VisitorField::Other(PrefsField::Deep(DeepField::First)),
        VisitorField::Other(PrefsField::Deep(DeepField::Second)),
    ];
    assert_eq!(all, expected);
    assert!(all.iter().enumerate().all(|(index, field)| field.index() == index));
    assert_eq!(all.iter().copied().collect::<HashSet<_>>().len(), 9);
    let shown: Vec<String> = all.iter().map(|field| format!("{field:?}")).collect();
    assert_eq!(
        shown,
        [
            "visits",
            "theme",
            "last",
            "prefs.size",
            "prefs.deep.first",
            "prefs.deep.second",
            "other.size",
            "other.deep.first",
            "other.deep.second"
        ]
    );
}

#[test]
fn fields_have_the_names_they_are_stored_under() {
    let names: Vec<_> = VisitorField::ALL.iter().map(Field::name).collect();
    assert_eq!(names.len(), 9);
    assert_eq!(names[..5], ["visits", "theme", "last", "prefs.size", "prefs.deep.first"]);
    assert_eq!(DeepField::ALL, [DeepField::First, DeepField::Second]);
    assert_eq!(format!("{:?}", DeepField::ALL), "[first, second]");
    for field in PrefsField::ALL {
        assert_eq!(VisitorField::Other(field).name(), format!("other.{}", field.name()));
    }
}

#[test]
fn a_view_can_be_handed_to_a_function() {
    fn count(visitor: VisitorEdit<'_>) -> &mut u32 {
        let visits = visitor.visits();
        *visits += 1;
        visits
    }

    let mut visitor = Tracked::<Visitor>::new().unwrap();
    *count(visitor.edit()) += 1;
    assert_eq!((visitor.visits, visitor.request, visitor.last), (2, 0, false));
    assert_eq!(visitor.dirty().unwrap().iter().collect::<Vec<_>>(), [VisitorField::Visits]);
    assert_eq!((visitor.theme.as_str(), visitor.prefs.size, visitor.other.size), ("", 0, 0));
    assert_eq!((visitor.prefs.deep.first, visitor.prefs.deep.second), (0, 0));
}
