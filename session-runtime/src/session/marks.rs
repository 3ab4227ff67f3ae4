//! Which fields of a session were mutably borrowed: one `bool` each, in the shape of its nested sessions.

/// The marks of a session: which fields were mutably borrowed since the baseline.
pub trait MarkSet: Default + Send + Sync {
    /// How many there are.
    const LEN: usize;

    /// Whether any mark is set.
    fn any(&self) -> bool;

    /// The mark of the field with this index; `false` beyond the last.
    fn get(&self, index: usize) -> bool;

    /// Sets the mark of the field with this index; nothing beyond the last.
    fn set(&mut self, index: usize, marked: bool);

    /// Sets every mark.
    fn fill(&mut self, marked: bool);
}

/// A session's marks: `N` for its own fields, and those of its nested sessions.
#[derive(Debug)]
pub struct OwnMarks<const N: usize, Nested = ()> {
    /// The session's own fields, in the order of their declaration.
    pub own: [bool; N],
    /// The nested sessions' marks.
    pub nested: Nested,
}

impl<const N: usize, Nested: MarkSet> Default for OwnMarks<N, Nested> {
    fn default() -> Self {
        Self { own: [false; N], nested: Nested::default() }
    }
}

impl<const N: usize, Nested: MarkSet> MarkSet for OwnMarks<N, Nested> {
    const LEN: usize = N + Nested::LEN;

    #[inline]
    fn any(&self) -> bool {
        // A fold over the bytes is vectorized, a search for the first is not.
        self.own.iter().fold(false, |any, &mark| any | mark) || self.nested.any()
    }

    #[inline]
    fn get(&self, index: usize) -> bool {
        match self.own.get(index) {
            Some(&mark) => mark,
            None => self.nested.get(index - N),
        }
    }

    #[inline]
    fn set(&mut self, index: usize, marked: bool) {
        match self.own.get_mut(index) {
            Some(mark) => *mark = marked,
            None => self.nested.set(index - N, marked),
        }
    }

    #[inline]
    fn fill(&mut self, marked: bool) {
        self.own.fill(marked);
        self.nested.fill(marked);
    }
}

/// The first nested session, and the others.
impl<First: MarkSet, Rest: MarkSet> MarkSet for (First, Rest) {
    const LEN: usize = First::LEN + Rest::LEN;

    #[inline]
    fn any(&self) -> bool {
        self.0.any() || self.1.any()
    }

    #[inline]
    fn get(&self, index: usize) -> bool {
        match index.checked_sub(First::LEN) {
            None => self.0.get(index),
            Some(index) => self.1.get(index),
        }
    }

    #[inline]
    fn set(&mut self, index: usize, marked: bool) {
        match index.checked_sub(First::LEN) {
            None => self.0.set(index, marked),
            Some(index) => self.1.set(index, marked),
        }
    }

    #[inline]
    fn fill(&mut self, marked: bool) {
        self.0.fill(marked);
        self.1.fill(marked);
    }
}

/// No nested sessions.
impl MarkSet for () {
    const LEN: usize = 0;

    #[inline]
    fn any(&self) -> bool {
        false
    }

    #[inline]
    fn get(&self, _index: usize) -> bool {
        false
    }

    #[inline]
    fn set(&mut self, _index: usize, _marked: bool) {}

    #[inline]
    fn fill(&mut self, _marked: bool) {}
}
