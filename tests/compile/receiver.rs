//! `Self` in the fields of a session is the session.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use session_runtime::{Session, Tracked};

trait Kind {
    type Id;
}

/// A comment with its answers.
#[derive(Session, Serialize, Deserialize, Clone, Default)]
struct Comment {
    text: String,
    answers: Vec<Self>,
    quoted: Option<Box<Self>>,
    id: <Self as Kind>::Id,
    #[serde(skip)]
    #[session(skip)]
    marker: PhantomData<Self>,
    #[serde(skip)]
    #[session(skip)]
    #[expect(clippy::type_complexity, reason = "it names the struct in each place of a function's type")]
    visit: Option<fn(&Self, &mut Vec<Self>) -> Option<Self>>,
    counts: [u8; Self::COUNTS],
    nested: Vec<Option<(u8, Box<Self>)>>,
    #[session(with = as_texts, merge = Self::longer, initial = Self::none())]
    #[serde(with = "as_texts")]
    drafts: Vec<Self>,
}

impl Kind for Comment {
    type Id = u64;
}

impl Comment {
    const COUNTS: usize = 3;

    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    const fn none() -> Vec<Self> {
        Vec::new()
    }

    fn longer(_base: &Vec<Self>, mine: Vec<Self>, theirs: Vec<Self>) -> Vec<Self> {
        if mine.len() > theirs.len() { mine } else { theirs }
    }
}

mod as_texts {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Comment;

    pub(super) fn serialize<S: Serializer>(comments: &[Comment], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(comments.iter().map(|comment| &comment.text))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Comment>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.iter().map(|text| Comment::new(text)).collect())
    }
}

#[test]
fn a_session_may_hold_sessions_of_its_own_type() {
    let mut comment = Tracked::<Comment>::new().unwrap();
    comment.edit().answers().push(Comment::new("yes"));
    *comment.edit().quoted() = Some(Box::new(Comment::new("no")));
    *comment.edit().id() = 7;
    comment.edit().counts()[2] = 1;
    comment.edit().nested().push(Some((1, Box::default())));
    comment.edit().drafts().push(Comment::new("perhaps"));
    *comment.edit().visit() = Some(|comment, _| comment.answers.first().cloned());
    assert_eq!(format!("{:?}", comment.dirty().unwrap()), "{answers, quoted, id, counts, nested, drafts}");
    let first = comment.visit.and_then(|visit| visit(&comment, &mut Vec::new()));
    assert_eq!(first.unwrap().text, "yes");
    assert_eq!(comment.marker, PhantomData);
    assert_eq!((comment.id, comment.counts, comment.nested.len()), (7, [0, 0, 1], 1));
    assert_eq!(Comment::longer(&Vec::new(), Vec::new(), comment.drafts.clone()).len(), 1);
}

/// `Self` has the parameters of the struct, also in its bounds.
#[derive(Session, Serialize, Deserialize, Default)]
#[session(name = "tree")]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
struct Tree<T: Into<Option<Self>>, const N: usize>
where
    Self: Sized,
{
    value: T,
    children: Vec<Self>,
    parent: Option<Box<Self>>,
}

#[derive(Serialize, Deserialize, Default)]
struct Value(u8);

impl<const N: usize> From<Value> for Option<Tree<Value, N>> {
    fn from(value: Value) -> Self {
        (value.0 > 0).then(|| Tree { value, children: Vec::new(), parent: None })
    }
}

#[test]
fn it_has_the_parameters_of_a_generic_session() {
    let mut tree = Tracked::<Tree<Value, 5>>::new().unwrap();
    tree.edit().children().push(Tree::default());
    *tree.edit().parent() = Option::from(Value(3)).map(Box::new);
    tree.edit().value().0 = 0;
    assert_eq!(format!("{:?}", tree.dirty().unwrap()), "{children, parent}");
    let parent = tree.parent.as_ref().map(|parent| parent.value.0);
    assert_eq!((tree.value.0, tree.children.len(), parent), (0, 1, Some(3)));
}

/// It may be a parameter of a nested session.
#[derive(Session)]
struct Branch {
    #[session(nested)]
    leaf: Leaf<Self>,
}

#[derive(Session)]
#[session(name = "leaf")]
struct Leaf<T> {
    color: u8,
    #[session(skip)]
    of: PhantomData<T>,
}

#[test]
fn a_nested_session_may_know_its_owner() {
    let mut branch = Tracked::<Branch>::new().unwrap();
    *branch.edit().leaf().color() = 1;
    assert_eq!((branch.leaf.color, branch.leaf.of), (1, PhantomData));
    assert!(branch.dirty().unwrap().contains(BranchField::Leaf(LeafField::Color)));
}

/// A macro may pass it on.
macro_rules! linked {
    ($name:ident: $ty:ty) => {
        #[derive(Session, Serialize, Deserialize, Default)]
        struct $name {
            next: $ty,
        }
    };
}

linked!(Linked: Option<Box<Self>>);

#[test]
fn a_macro_may_pass_it() {
    let mut linked = Tracked::<Linked>::new().unwrap();
    *linked.edit().next() = Some(Box::default());
    assert!(linked.next.as_ref().is_some_and(|next| next.next.is_none()));
    assert_eq!(linked.dirty().unwrap().len(), 1);
}
