//! Whether a request turned out to be a relying party's own: then it is counted there and not at its address, behind
//! which others may sit.

use std::cell::Cell;
use std::future::Future;

tokio::task_local! {
    static PROVED: Cell<bool>;
}

/// Answers a request, and tells whether a relying party has proved who it is in it.
pub async fn watched<F: Future>(answer: F) -> (F::Output, bool) {
    let answered = async {
        let answer = answer.await;
        (answer, PROVED.with(Cell::get))
    };
    PROVED.scope(Cell::new(false), answered).await
}

/// It has.
pub(super) fn proved() {
    // Outside of a request there is nobody to tell.
    let _ = PROVED.try_with(|proved| proved.set(true));
}
