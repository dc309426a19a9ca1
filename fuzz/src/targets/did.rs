//! Decentralised identifiers and their documents.

use standards::did::{self, Did, DidUrl, Document, Relationship};

use crate::scene::fields;

/// Fields: a DID, a key id, a document. An address made from a DID leads to the host that the DID names and nowhere
/// else (SEC-32); a key found in a document is the document's own (SEC-16).
pub(super) fn did(data: &[u8]) {
    let Some([text, kid, document]) = fields(data) else {
        return;
    };
    if let Ok(url) = DidUrl::parse(kid) {
        assert_eq!(DidUrl::parse(&url.to_string()).as_ref(), Ok(&url));
    }
    let Ok(did) = Did::parse(text) else {
        return;
    };
    assert_eq!(did.as_str(), text);
    if let Ok(address) = did::web::document_url(&did) {
        let url = address.with_scheme("https");
        if let Ok(url) = url {
            assert_eq!(
                url.host_str(),
                Some(address.host()),
                "another host than the DID's"
            );
            assert_eq!(
                url.port_or_known_default(),
                Some(address.port().unwrap_or(443))
            );
            assert_eq!(url.path(), address.path(), "another path than the DID's");
            assert!(url.username().is_empty() && url.password().is_none());
            assert!(url.query().is_none() && url.fragment().is_none());
            assert!(url.path().ends_with("/did.json"));
        }
    }
    if let Ok(key) = did::jwk::decode(&did) {
        let again = did::jwk::encode(&key);
        assert!(did::jwk::decode(&again).is_ok_and(|read| read.same_key(&key)));
    }
    if let Ok(key) = did::key::decode(&did) {
        assert_eq!(
            did::key::encode(&key).as_ref(),
            Ok(&did),
            "two DIDs of one key"
        );
    }
    let own = [did::jwk::document(&did).ok(), did::key::document(&did).ok()];
    let foreign = Document::parse(document.as_bytes(), &did).ok();
    for document in own.into_iter().flatten().chain(foreign) {
        assert_eq!(document.id(), &did);
        for relationship in Relationship::ALL {
            if document.find(kid, *relationship).is_ok() {
                let url = DidUrl::parse_relative_to(&did, kid).expect("the id of a key found");
                assert_eq!(url.did(), &did, "a key of another controller");
            }
        }
    }
}
