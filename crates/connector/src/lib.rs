//! What an external system links: verify, issue and revoke through a credential gateway.
