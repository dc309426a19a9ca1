//! The pages for people: holders, credentials, scanning, consent, results, faults. All work without JavaScript.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, body::Bytes};
use serde::Deserialize;
use standards::openid4vci::offer::TxCode;
use ui::Page;
use ui::component::{Choice, FieldError, Row};
use ui::headers::Policy;

use super::pending::{Questions, Shown};
use super::views::{
    AddPage, Ask, Card, HolderPage, HoldersPage, ProblemPage, ResultPage, ScanPage, SharePage,
    fault_choices, result_title,
};
use crate::{Fault, HolderSummary, Question, Reply, Scanned, Wallet, WalletError, picture, proof};

const BANNER: &str = "Test wallet – not for real people";

#[derive(Clone)]
struct Pages {
    wallet: Wallet,
    brand: Arc<ui::Brand>,
    questions: Arc<Questions>,
}

pub(super) fn router(wallet: Wallet, brand: &Arc<ui::Brand>) -> Router {
    let pages = Pages {
        wallet,
        brand: Arc::clone(brand),
        questions: Arc::default(),
    };
    Router::new()
        .route("/", get(holders))
        .route("/holders/{holder}", get(holder))
        .route(
            "/holders/{holder}/credentials/{credential}/delete",
            post(delete),
        )
        .route("/holders/{holder}/misbehave", post(misbehave))
        .route("/holders/{holder}/scan", get(scan_page).post(scan))
        .route("/holders/{holder}/picture", post(scan_picture))
        .route(
            "/holders/{holder}/requests/{request}",
            get(request).post(answer),
        )
        .with_state(pages)
        .merge(ui::router(brand))
}

impl Pages {
    fn page(&self, title: &str) -> Page {
        Page::new(&self.brand, title).with_banner(BANNER)
    }

    fn problem(&self, status: StatusCode, title: &str, text: String) -> Response {
        ui::render_with(
            status,
            &ProblemPage {
                page: self.page(title),
                text,
            },
            &Policy::new(),
        )
    }

    /// A page, or the page that says why there is none.
    fn answer<T: Template>(&self, page: Result<T, WalletError>) -> Response {
        match page {
            Ok(page) => ui::render(&page),
            Err(error) => self.refusal(&error),
        }
    }

    fn refusal(&self, error: &WalletError) -> Response {
        let (status, title) = match error {
            WalletError::UnknownHolder(_) => (StatusCode::NOT_FOUND, "Holder not found"),
            WalletError::UnknownCredential(_) => (StatusCode::NOT_FOUND, "Credential not found"),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "There is a problem with the test wallet",
            ),
        };
        self.problem(status, title, sentence(error))
    }
}

/// What went wrong, as a person reads it in a paragraph.
fn sentence(error: &impl std::fmt::Display) -> String {
    format!("{}.", capitalised(&error.to_string()))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

async fn holders(State(pages): State<Pages>) -> Response {
    let holders = pages.wallet.holders();
    ui::render(&HoldersPage {
        page: pages.page("Whose wallet?"),
        holders,
    })
}

async fn holder(State(pages): State<Pages>, Path(id): Path<String>) -> Response {
    let page = async {
        let wallet = &pages.wallet;
        let holder = wallet.find_holder(&id)?;
        let cards = wallet
            .credentials(&id)
            .await?
            .iter()
            .map(|credential| Card::new(&id, credential))
            .collect();
        let armed = wallet.armed_fault(&id)?;
        let late = wallet.late_answer(&id)?.map(|scanned| scanned.to_string());
        let page = pages.page(&format!("Wallet of {}", holder.name));
        Ok(HolderPage {
            page,
            holder,
            cards,
            faults: fault_choices(armed),
            armed,
            late,
        })
    };
    pages.answer(page.await)
}

async fn delete(
    State(pages): State<Pages>,
    Path((id, credential)): Path<(String, String)>,
) -> Response {
    match pages.wallet.delete(&id, &credential).await {
        Ok(()) => to_holder(&id),
        Err(error) => pages.refusal(&error),
    }
}

#[derive(Deserialize)]
struct MisbehaveForm {
    fault: String,
}

async fn misbehave(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    Form(form): Form<MisbehaveForm>,
) -> Response {
    match pages.wallet.misbehave(&id, Fault::parse(&form.fault)) {
        Ok(()) => to_holder(&id),
        Err(error) => pages.refusal(&error),
    }
}

#[derive(Deserialize)]
struct LinkField {
    #[serde(default)]
    link: String,
}

async fn scan_page(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    Query(field): Query<LinkField>,
) -> Response {
    match pages.wallet.find_holder(&id) {
        Ok(holder) => pages.scan_again(holder, field.link, String::new(), String::new()),
        Err(error) => pages.refusal(&error),
    }
}

async fn scan(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    Form(field): Form<LinkField>,
) -> Response {
    pages.open(&id, field.link, false).await
}

async fn scan_picture(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    form: Multipart,
) -> Response {
    let holder = match pages.wallet.find_holder(&id) {
        Ok(holder) => holder,
        Err(error) => return pages.refusal(&error),
    };
    let text = match uploaded(form).await {
        Ok(bytes) if bytes.is_empty() => Err("Choose a picture of a QR code".to_owned()),
        // Finding a code in a large picture takes a while and blocks.
        Ok(bytes) => match tokio::task::spawn_blocking(move || picture::read_qr_code(&bytes)).await
        {
            Ok(read) => read.map_err(|error| error.to_string()),
            Err(_) => Err("The picture could not be read".to_owned()),
        },
        Err(error) => Err(error.body_text()),
    };
    match text {
        Ok(link) => pages.open(&id, link, true).await,
        Err(error) => pages.scan_again(holder, String::new(), String::new(), error),
    }
}

async fn uploaded(mut form: Multipart) -> Result<Bytes, MultipartError> {
    while let Some(field) = form.next_field().await? {
        if field.name() == Some("picture") {
            return field.bytes().await;
        }
    }
    Ok(Bytes::new())
}

impl Pages {
    /// Reads what a link asks and leads to the page that asks the person.
    async fn open(&self, id: &str, link: String, from_picture: bool) -> Response {
        let read = match self.wallet.read(id, &link).await {
            Ok(read) => read,
            Err(error) => return self.refusal(&error),
        };
        let opened = match (read, self.wallet.find_holder(id)) {
            (Ok(opened), _) => opened,
            (Err(reason), Ok(holder)) if from_picture => {
                return self.scan_again(holder, String::new(), String::new(), reason);
            }
            (Err(reason), Ok(holder)) => {
                return self.scan_again(holder, link, reason, String::new());
            }
            (Err(_), Err(error)) => return self.refusal(&error),
        };
        let (question, request) = match (self.wallet.question(id, &opened), proof::random_id()) {
            (Ok(question), Ok(request)) => (question, request),
            (Err(error), _) => return self.refusal(&error),
            (_, Err(error)) => {
                let title = "There is a problem with the test wallet";
                return self.problem(StatusCode::INTERNAL_SERVER_ERROR, title, sentence(&error));
            }
        };
        self.questions.insert(id, &request, opened, question);
        Redirect::to(&format!("/holders/{id}/requests/{request}")).into_response()
    }

    fn scan_again(
        &self,
        holder: HolderSummary,
        link: String,
        link_error: String,
        picture_error: String,
    ) -> Response {
        let [link_error, picture_error] =
            [link_error, picture_error].map(|text| capitalised(&text));
        let mut errors = Vec::new();
        for (text, href) in [(&link_error, "#link"), (&picture_error, "#picture")] {
            if !text.is_empty() {
                errors.push(FieldError {
                    text: text.clone(),
                    href: href.to_owned(),
                });
            }
        }
        let page = self.page("Scan a QR code");
        let (page, status) = if errors.is_empty() {
            (page, StatusCode::OK)
        } else {
            (page.with_errors(), StatusCode::BAD_REQUEST)
        };
        let form = ScanPage {
            page,
            holder,
            link,
            link_error,
            picture_error,
            errors,
        };
        ui::render_with(status, &form, &Policy::new())
    }
}

async fn request(
    State(pages): State<Pages>,
    Path((id, request)): Path<(String, String)>,
) -> Response {
    let holder = match pages.wallet.find_holder(&id) {
        Ok(holder) => holder,
        Err(error) => return pages.refusal(&error),
    };
    let action = format!("/holders/{id}/requests/{request}");
    match pages.questions.find(&id, &request) {
        None => pages.problem(
            StatusCode::NOT_FOUND,
            "This request is no longer open",
            "Scan the QR code again.".to_owned(),
        ),
        Some(Shown::Asked(Question::Add {
            issuer_name,
            issuer,
            offers,
            transaction_code,
        })) => {
            let page = pages.page("Add to your wallet?");
            let who = who("Issuer", issuer_name, issuer);
            let choice = |(at, offer): (usize, &crate::OfferedCredential)| {
                Choice::new(offer.id.as_str(), offer.name.as_str())
                    .with_hint(offer.format.as_str())
                    .chosen(at == 0)
            };
            let choices = offers.iter().enumerate().map(choice).collect();
            ui::render(&AddPage {
                page,
                holder,
                action,
                who,
                offers,
                choices,
                pin_hint: transaction_code.map(pin_hint),
            })
        }
        Some(Shown::Asked(Question::Share {
            verifier_name,
            purpose,
            verifier,
            asks,
        })) => {
            let page = pages.page("Share from your wallet?");
            let sends_whole = asks
                .iter()
                .flat_map(|asked| &asked.fitting)
                .any(|held| held.format == "jwt_vc_json");
            let mut who = who("Who asks", verifier_name, verifier);
            who.extend(purpose.map(|purpose| Row::new("Why", purpose)));
            let asks = asks
                .iter()
                .enumerate()
                .map(|(at, asked)| Ask::new(at, asked))
                .collect();
            ui::render(&SharePage {
                page,
                holder,
                action,
                who,
                asks,
                sends_whole,
            })
        }
        Some(Shown::Answering) => {
            pages.result(holder, Scanned::pending("the answer is on its way"))
        }
        Some(Shown::Answered(scanned)) => pages.result(holder, scanned),
    }
}

async fn answer(
    State(pages): State<Pages>,
    Path((id, request)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    // A second press finds nothing to take and sees the result.
    if let Some(opened) = pages.questions.take(&id, &request) {
        let has = |wanted: &str| fields.iter().find(|(name, _)| name == wanted);
        let consent = has("decision").is_some_and(|(_, value)| value == "accept");
        let transaction_code = has("pin").map(|(_, value)| value.clone());
        let chosen = fields
            .into_iter()
            .filter(|(name, _)| name.starts_with("choose-"));
        let choose = chosen.map(|(_, value)| value).collect();
        let reply = Reply {
            consent,
            choose,
            transaction_code,
        };
        match pages.wallet.finish(&id, opened, reply).await {
            Ok(scanned) => pages.questions.answered(&id, &request, scanned),
            Err(error) => {
                pages
                    .questions
                    .answered(&id, &request, Scanned::failed(&error));
                return pages.refusal(&error);
            }
        }
    }
    Redirect::to(&format!("/holders/{id}/requests/{request}")).into_response()
}

impl Pages {
    fn result(&self, holder: HolderSummary, scanned: Scanned) -> Response {
        let page = self.page(result_title(scanned.outcome));
        let cards = scanned
            .credentials
            .iter()
            .map(|credential| Card::new(&holder.id, credential))
            .collect();
        // Where the verifier sends the browser is its choice, but never a script.
        let web = scanned
            .redirect_uri
            .filter(|uri| matches!(uri.scheme(), "https" | "http"));
        let continue_href = web.map(String::from);
        ui::render(&ResultPage {
            page,
            holder,
            reason: scanned.reason,
            cards,
            continue_href,
        })
    }
}

fn who(label: &str, name: Option<String>, id: String) -> Vec<Row> {
    let name = name.map(|name| Row::new(label, name));
    name.into_iter()
        .chain([Row::new("Identifier", id)])
        .collect()
}

/// What the issuer says of its transaction code, shown as it came.
fn pin_hint(code: TxCode) -> String {
    let length = code.length.map(|length| format!("{length} characters"));
    let says = [length, code.description];
    says.into_iter().flatten().collect::<Vec<_>>().join(". ")
}

fn to_holder(id: &str) -> Response {
    Redirect::to(&format!("/holders/{id}")).into_response()
}
