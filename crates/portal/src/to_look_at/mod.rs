//! For HR, behind the log-in: identities that are written otherwise than the record of whoever shared them. Somebody who knows
//! the person looks at their credential, and says whether it is theirs.
//!
//! Values of the credential are not kept, and so are not shown: its owner opens it in their wallet.

pub(crate) mod page;

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Decision, Review};
use serde::Deserialize;
use store::StoreError;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Act, Kind};
use crate::employees::Employee;
use crate::trouble::Trouble;
use crate::visit::{Office, Posted};
use page::{News, ToLookAt, ToLookAtView};

/// Where the page is.
pub(crate) const PATH: &str = "/to-look-at";

#[derive(Deserialize)]
pub(crate) struct ToLookAtQuery {
    said: Option<String>,
}

/// `GET /to-look-at`.
pub(crate) async fn show(
    State(app): State<App>,
    Query(query): Query<ToLookAtQuery>,
    Office(visit): Office,
) -> Result<Response, Trouble> {
    let employees = app.employees().await?.into_iter();
    let employees: HashMap<String, Employee> = employees.map(|one| (one.id.clone(), one)).collect();
    let listed = |review: Review| {
        let employee = employees.get(&review.employee)?;
        Some(ToLookAt {
            name: employee.name(),
            known_as: employee.known_as.clone(),
            date_of_birth: employee.date_of_birth,
            is_own: employee.id == visit.employee.id,
            review,
        })
    };
    let reviews = app.desk.reviews().await?;
    let reviews: Vec<ToLookAt> = reviews.into_iter().filter_map(listed).collect();
    let people = reviews.iter().map(|one| one.review.employee.as_str());
    audit::seen(&app, &visit.employee.id, Kind::ReviewsViewed, people).await?;
    let view = ToLookAtView {
        reviews,
        news: query.said.as_deref().and_then(News::parse),
    };
    Ok(page::show(&app.look, &visit.visitor(), &view))
}

/// `GET` of a button's address: where whoever had to log in before it counted comes back to.
pub(crate) async fn back() -> Redirect {
    Redirect::to(PATH)
}

/// `POST /to-look-at/{id}/{decision}`: what they found. Nobody decides about themselves.
pub(crate) async fn decide(
    State(app): State<App>,
    Path((id, decision)): Path<(Uuid, String)>,
    posted: Posted<Office>,
) -> Result<Response, Trouble> {
    let Office(visit) = posted.by;
    let Some(decision) = Decision::parse(&decision) else {
        return Ok(visit.not_found());
    };
    let by = &visit.employee.id;
    let news = match app.desk.find_review(id).await? {
        Some(review) if review.employee == *by => return Ok(visit.not_found()),
        Some(review) => {
            let kind = match decision {
                Decision::Same => Kind::IdentityAccepted,
                Decision::NotSame => Kind::IdentityRefused,
            };
            let act = Act::by(by, kind).about(&review.employee);
            let mut batch = app.desk.decided(&review, decision, by);
            batch.push(act.statement(app.now()));
            match app.store.write(batch).await {
                Ok(_) => News::Said(decision),
                Err(StoreError::Unmet { .. }) => News::Gone,
                Err(error) => return Err(error.into()),
            }
        }
        None => News::Gone,
    };
    Ok(Redirect::to(&format!("{PATH}?said={}", news.code())).into_response())
}
