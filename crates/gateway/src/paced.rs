//! What costs too much to be made for each who asks: made once in a while, kept, and made to its end though whoever asked has
//! gone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;

/// What is made at most once within a time.
#[derive(Clone)]
pub(crate) struct Paced<T> {
    kept: SignedDuration,
    last: Arc<Mutex<Option<(Timestamp, T)>>>,
}

impl<T: Clone + Send + 'static> Paced<T> {
    /// Nothing made yet. What is made serves whoever asks for that long.
    pub(crate) fn new(kept: SignedDuration) -> Self {
        let last = Arc::default();
        Self { kept, last }
    }

    /// What was made last, or is made now. Whoever asks meanwhile waits for the same. An error is not kept; `None`: making it
    /// panicked, or this process ends.
    pub(crate) async fn get<E: Send + 'static>(
        &self,
        clock: &Clock,
        make: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Option<Result<T, E>> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((at, known)) = last.as_ref()
            && clock.now().duration_since(*at).abs() < self.kept
        {
            return Some(Ok(known.clone()));
        }
        let clock = clock.clone();
        // By itself, so that it is made to its end and kept though whoever asked has gone: otherwise, who asks and goes at once
        // would have it begun each time.
        let made = tokio::spawn(async move {
            let made = make.await?;
            // From its end: what takes longer than it is kept would be made again and again.
            *last = Some((clock.now(), made.clone()));
            Ok(made)
        });
        made.await.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn it_is_made_once_however_many_ask_and_though_the_first_goes_away() {
        let (clock, shift) = Clock::shifted();
        let kept = SignedDuration::from_secs(30);
        let paced = Paced::new(kept);
        let count = Arc::new(AtomicU32::new(0));
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (counted, of_first) = (Arc::clone(&count), clock.clone());
        let slow = async move {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            let _ = gone.await;
            Ok::<_, Infallible>(number)
        };
        // Whoever began it leaves before it is there, and it takes longer than it is kept.
        let first = paced.clone();
        let first = tokio::spawn(async move { first.get(&of_first, slow).await });
        while count.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        shift.advance(kept);
        go.send(()).unwrap();
        let again = || {
            let counted = Arc::clone(&count);
            async move { Ok::<_, Infallible>(counted.fetch_add(1, Ordering::Relaxed) + 1) }
        };
        for _ in 0..3 {
            assert_eq!(paced.get(&clock, again()).await, Some(Ok(1)));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        shift.advance(kept);
        assert_eq!(paced.get(&clock, again()).await, Some(Ok(2)));
    }

    #[tokio::test]
    async fn what_failed_is_made_again() {
        let (clock, _) = Clock::shifted();
        let paced = Paced::<u8>::new(SignedDuration::from_secs(30));
        assert_eq!(
            paced.get(&clock, async { Err("no") }).await,
            Some(Err("no"))
        );
        assert_eq!(
            paced.get(&clock, async { Ok::<_, &str>(1) }).await,
            Some(Ok(1))
        );
    }
}
