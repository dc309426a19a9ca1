//! The specifications as code: parse, build, check.

pub mod base64url;
pub mod claims;
pub mod csv;
pub mod dcql;
pub mod did;
pub mod jose;
pub mod json;
pub mod oauth;
pub mod openid4vci;
pub mod openid4vp;
pub mod sd_jwt;
pub mod status_list;
pub mod vc;
pub mod webhook;
