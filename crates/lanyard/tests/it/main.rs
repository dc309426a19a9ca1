//! The program's integration tests, one binary for all of them: each runs the real `lanyard` as its users do.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod admin_command;
mod browser;
mod by_hand;
mod connector_command;
#[allow(dead_code)] // the store's tests use all of it
#[path = "../../../store/tests/it/database.rs"]
mod database;
#[allow(dead_code)] // the desk's tests use all of it
#[path = "../../../connector/tests/it/desk/door.rs"]
mod door;
mod events;
mod example_portals;
mod example_scripts;
mod example_stage;
mod gateway_command;
mod holder;
mod journey_command;
mod kill;
mod kill_in_flight;
mod operated;
mod portal_commands;
mod portal_journey;
mod portal_kill;
mod portal_kill_person;
mod portal_kill_truth;
mod portal_processes;
mod portal_walk;
mod ports;
mod sandbox_command;
mod sidecar_process;
