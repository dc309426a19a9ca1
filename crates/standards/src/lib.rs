//! The specifications as code: parse, build, check.
