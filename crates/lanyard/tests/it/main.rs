//! The program's integration tests, one binary for all of them: each runs the real `lanyard` as its users do.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod admin_command;
mod admin_verbs;
mod audit_export;
mod backups;
mod behind_pgbouncer;
mod browser;
mod by_hand;
mod caddy;
#[allow(dead_code)] // the portal's tests use all of it
#[path = "../../../portal/tests/it/requirements/cheat.rs"]
mod cheat;
mod cluster;
mod cluster_journeys;
mod cluster_load;
mod cluster_outage;
mod connector_command;
mod console_behind_proxy;
#[allow(dead_code)] // the store's tests use all of it
#[path = "../../../store/tests/it/database.rs"]
mod database;
mod deploy_files;
mod deploy_kubernetes;
mod doctor;
mod doctor_reach;
#[allow(dead_code)] // the desk's tests use all of it
#[path = "../../../connector/tests/it/desk/door.rs"]
mod door;
mod events;
mod evidence_command;
mod example_portals;
mod example_scripts;
mod example_stage;
mod fetch_hosts;
mod gateway_command;
mod holder;
mod in_a_token;
mod interop_openidconnect;
mod journey_command;
mod key_command;
mod key_passphrase;
mod kill;
mod kill_in_flight;
mod notify_here;
mod oldest;
#[path = "../../../gateway/tests/it/openid_library.rs"]
mod openid_library;
mod operate_script;
mod operated;
mod operator_commands;
mod overheard;
mod point;
mod point_walker;
mod points;
mod portal_commands;
mod portal_files;
mod portal_journey;
mod portal_kill;
mod portal_kill_person;
mod portal_kill_truth;
mod portal_processes;
mod portal_walk;
mod ports;
mod postgres_server;
mod process;
mod reconcile_command;
mod restored;
mod revoke_command;
mod rolling;
#[path = "../../../gateway/tests/it/said.rs"]
mod said;
mod sandbox_command;
mod sandbox_folder;
mod sbom_command;
mod sidecar_host;
mod sidecar_process;
#[path = "../../../gateway/tests/it/softhsm.rs"]
mod softhsm;
mod storage_secret_kill;
mod store_command;
mod watched;
#[allow(dead_code)] // the portal's tests use all of it
#[path = "../../../portal/tests/it/requirements/wire.rs"]
mod wire;
