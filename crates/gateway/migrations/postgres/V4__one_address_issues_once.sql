-- What a relying party asks to be issued is asked once: by a request_uri, or by a signed draft in an address.
CREATE UNIQUE INDEX interactions_to_issue ON interactions (request_digest) WHERE purpose = 'issue';
