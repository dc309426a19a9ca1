use crate::app::App;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State as Parts;
/// x
#[utoipa::path(get, path = "/v1/people/{employee}", responses((status = 200), Problems))]
pub(crate) async fn export(Parts(_app): Parts<App>) -> Result<Json<u8>, Problem> {
    Ok(Json(1))
}
/// x
#[utoipa::path(delete, path = "/v1/people/{employee}", responses((status = 200), Problems))]
pub(crate) async fn erase(Parts(_app): Parts<App>) -> Result<Json<u8>, Problem> {
    Ok(Json(1))
}
