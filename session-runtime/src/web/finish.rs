//! What happens to the session of a request when its handler has returned.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tracing::Span;

use super::error::WebError;
use super::header::Header;
use super::lease::{Lease, Notice};
use super::policy::Policy;
use super::slot::{Closed, Slot};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::sessions::{Outcome, tell};

/// What a handler left, in the words of its framework: a response, or an error that becomes one.
pub trait Handled: Sized {
    /// What leaves the layer.
    type Answer;
    /// What an application answers when a session could not be stored.
    type Instead;

    /// The status of the response, if there is or will be one.
    fn status(&self) -> Option<u16>;
    /// Passes it on as it is.
    fn answer(self) -> Self::Answer;
    /// Passes on something else.
    fn replace(answer: Self::Answer, instead: Self::Instead) -> Self::Answer;
    /// Adds a header. Says whether the value can stand in one.
    fn add(answer: &mut Self::Answer, header: Header, value: Cow<'static, str>) -> bool;
}

/// What an application answers instead of a handler's output.
type Instead<F> = <<F as Future>::Output as Handled>::Instead;
/// What a layer answers.
type Answer<F> = <<F as Future>::Output as Handled>::Answer;

pin_project! {
    /// The future of a response: of the handler, and then of the commit.
    pub struct Finish<T: Session, C: Codec, F: Future>
    where
        F::Output: Handled,
    {
        #[pin]
        stage: Stage<T, C, F>,
        span: Span,
        policy: Arc<Policy<T, C, Instead<F>>>,
    }
}

pin_project! {
    #[project = StagePinned]
    enum Stage<T: Session, C: Codec, F: Future>
    where
        F::Output: Handled,
    {
        Handling { #[pin] handler: F, slot: Arc<Slot<T, C>> },
        // Made only if there is something to commit.
        Committing { commit: Committing, answer: Option<Answer<F>> },
    }
}

type Committing = Pin<Box<dyn Future<Output = (Result<Outcome, Error>, Notice)> + Send>>;

impl<T: Session, C: Codec, F: Future> Finish<T, C, F>
where
    F::Output: Handled,
{
    /// Waits for a handler, called in this span, that may borrow the session of this slot.
    pub(crate) fn new(policy: Arc<Policy<T, C, Instead<F>>>, slot: Arc<Slot<T, C>>, span: Span, handler: F) -> Self {
        Self { stage: Stage::Handling { handler, slot }, span, policy }
    }
}

impl<T: Session, C: Codec, F: Future> Future for Finish<T, C, F>
where
    F::Output: Handled,
{
    type Output = Answer<F>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _inside = this.span.enter();
        loop {
            let (lease, answer) = match this.stage.as_mut().project() {
                StagePinned::Handling { handler, slot } => {
                    let handled = ready!(handler.poll(context));
                    match this.policy.leave(slot.close(), handled, this.span) {
                        Leaving::Now(answer) => return Poll::Ready(answer),
                        Leaving::AfterCommit(lease, answer) => (lease, answer),
                    }
                }
                StagePinned::Committing { commit, answer } => {
                    let (done, notice) = ready!(commit.as_mut().poll(context));
                    let answer = answer.take().expect("a future is not polled after it was ready");
                    tell(this.span, done.as_ref().map_or("failed", |outcome| outcome.word()));
                    return Poll::Ready(this.policy.committed::<F::Output>(answer, done, &notice));
                }
            };
            this.stage.set(Stage::Committing { commit: Box::pin(lease.finish()), answer: Some(answer) });
        }
    }
}

/// When a response leaves.
enum Leaving<T: Session, C: Codec, A> {
    Now(A),
    AfterCommit(Box<Lease<T, C>>, A),
}

impl<T: Session, C: Codec, R> Policy<T, C, R> {
    /// Decides what becomes of the session of a request.
    fn leave<H: Handled<Instead = R>>(
        &self,
        closed: Closed<T, C>,
        handled: H,
        span: &Span,
    ) -> Leaving<T, C, H::Answer> {
        let notice = match closed {
            Closed::Unasked => {
                tell(span, "unasked");
                return Leaving::Now(handled.answer());
            }
            Closed::Kept => {
                tell(span, "kept");
                let answer = H::replace(handled.answer(), (self.on_error)(WebError::Kept));
                return Leaving::Now(self.told::<H>(answer, &Notice::default()));
            }
            Closed::Nothing(notice) => {
                tell(span, "unchanged");
                notice
            }
            Closed::Lease(lease) if !handled.status().is_some_and(&*self.commit_when) => {
                tell(span, "discarded");
                lease.discard()
            }
            Closed::Lease(lease) if lease.is_unmarked() => {
                tell(span, "unchanged");
                lease.discard()
            }
            Closed::Lease(lease) => return Leaving::AfterCommit(lease, handled.answer()),
        };
        Leaving::Now(self.told::<H>(handled.answer(), &notice))
    }

    /// The answer after a commit, or what the application answers when it failed.
    fn committed<H: Handled<Instead = R>>(
        &self,
        answer: H::Answer,
        done: Result<Outcome, Error>,
        notice: &Notice,
    ) -> H::Answer {
        let answer = match done {
            Ok(_) => answer,
            Err(error) => H::replace(answer, (self.on_error)(error.into())),
        };
        self.told::<H>(answer, notice)
    }

    /// An answer that depends on the session, and tells the client what became of it.
    fn told<H: Handled>(&self, mut answer: H::Answer, notice: &Notice) -> H::Answer {
        let vary = (Header::Vary, Cow::Borrowed(self.lender.transport.header().name()));
        for (header, value) in [vary].into_iter().chain(self.lender.tell(notice)) {
            if !H::add(&mut answer, header, value) {
                tracing::error!(header = header.name(), "the session's name or domain cannot stand in a cookie");
            }
        }
        answer
    }
}

impl<T: Session, C: Codec, F: Future> fmt::Debug for Finish<T, C, F>
where
    F::Output: Handled,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("session", &std::any::type_name::<T>()).finish_non_exhaustive()
    }
}
