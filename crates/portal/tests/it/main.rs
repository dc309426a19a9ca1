//! The portal's tests.
#![allow(clippy::unwrap_used)]

mod applying;
mod attempts;
mod audit;
mod browser;
mod catalogue;
#[allow(dead_code)] // the gateway's tests use what is left
#[path = "../../../gateway/tests/it/collector.rs"]
mod collector;
mod composing;
#[allow(dead_code)] // the store's tests use what is left
#[path = "../../../store/tests/it/database.rs"]
mod database;
#[allow(dead_code)] // the desk's tests use what is left
#[path = "../../../connector/tests/it/desk/door.rs"]
mod door;
mod feed;
mod hostile_log_in;
mod hostile_portal;
mod hr;
mod journeys;
#[allow(dead_code)] // the connector's tests use what is left
#[path = "../../../gateway/tests/it/key_folder.rs"]
mod key_folder;
mod languages;
mod large_change;
mod login;
mod lost_phone;
mod notify_callback;
mod openid;
mod pages;
mod refusals;
mod requirements;
#[path = "../../../gateway/tests/it/said.rs"]
mod said;
mod schema;
mod sessions;
mod staff;
mod tabs;
mod to_look_at;
mod to_tell;
mod traces;
mod world;
