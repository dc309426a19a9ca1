//! The code on the screen: what a camera reads there, and where it leads.

use image::GrayImage;

use super::driver::{Browser, JavaScript, Screen};
use super::look::{quiet, unfold};
use super::stage::{BACK, REDIRECT_URI, Stage};

/// What a camera reads in a picture of the window.
pub(super) async fn read(browser: &Browser) -> String {
    // On a phone it is folded away.
    unfold(browser).await;
    let scroll = "document.querySelector('.lanyard-qr').scrollIntoView({ block: 'center' })";
    browser.script(scroll).await;
    let picture = image::load_from_memory(&browser.window_picture().await).unwrap();
    let picture: GrayImage = picture.to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let codes = prepared.detect_grids();
    assert_eq!(codes.len(), 1, "one code is on the screen");
    codes[0].decode().unwrap().1
}

/// DW-34, DW-57, SEC-30.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_read_from_the_screen_opens_the_interaction_and_the_page_goes_back_by_itself() {
    let Some(stage) = Stage::set().await else {
        return;
    };
    let browser = stage.browser(JavaScript::On).await;
    for (screen, holder, issuing) in [
        (Screen::Desktop, "anna", false),
        (Screen::Phone, "anna", false),
        (Screen::Phone, "noah", true),
    ] {
        browser.turn_to(screen).await;
        let started = if issuing {
            stage.issue().await
        } else {
            stage.verify().await
        };
        browser.open(started.url.as_str()).await;
        let link = read(&browser).await;
        assert_eq!(link, browser.attribute("#open-wallet", "href").await);
        assert!(link.len() <= 110, "{link}");

        stage.scan(holder, &link).await;
        // Nobody touches the page from here on.
        browser.wait_for_address(REDIRECT_URI).await;
        assert_eq!(browser.text("h1").await, BACK);
        if issuing {
            stage.came_back_issued(started.pending).await;
        } else {
            stage.came_back_verified(started.pending).await;
        }
    }
    assert_eq!(quiet(&stage, &browser).await, [""; 0]);
    browser.close().await;
    stage.strike().await;
}
