//! Panics of an actor, turned into the text of its crash card.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::Span;

/// What a panic said.
pub(crate) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(_) => "a panic without a text".to_owned(),
        },
    }
}

/// A future, perhaps inside a span, whose panic is its error. After a panic it is not polled again.
pub(crate) struct Caught<'a, F> {
    pub(crate) future: Pin<&'a mut F>,
    pub(crate) span: Option<&'a Span>,
}

impl<F: Future> Future for Caught<'_, F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let _entered = self.span.map(Span::enter);
        poll_caught(self.future.as_mut(), cx)
    }
}

/// Polls a future; a panic is its error.
pub(crate) fn poll_caught<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, String>> {
    match catch_unwind(AssertUnwindSafe(move || future.poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_text(panic))),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::Caught;

    async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
        Caught {
            future: pin!(future),
            span: None,
        }
        .await
    }

    #[tokio::test]
    async fn tells_what_a_panic_said() {
        assert_eq!(caught(async { 7 }).await, Ok(7));
        assert_eq!(
            caught(async { panic!("boom") }).await,
            Err::<(), _>("boom".to_owned())
        );
        assert_eq!(
            caught(async { panic!("boom {}", 7) }).await,
            Err::<(), _>("boom 7".to_owned())
        );
        let odd = async { std::panic::panic_any(7) };
        assert_eq!(
            caught(odd).await,
            Err::<(), _>("a panic without a text".to_owned())
        );
    }
}
