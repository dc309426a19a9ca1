//! The two credential formats of this house and what binds them to their holder.
//!
//! [`jwt_vc_json`] is the W3C data model 1.1 as a JWT (with its presentation, [`jwt_vp`]); [`sd_jwt_vc`] is
//! the IETF's SD-JWT VC. Both bind to a key that [`holder`] finds.

pub mod holder;
