-- What a redeemed code was bound to: who sends the code again with just this replays it; with anything else it is somebody else's
-- code, put into another session. NULL: not redeemed, or by a version before this one.
ALTER TABLE interactions ADD COLUMN code_redirect_digest TEXT;
ALTER TABLE interactions ADD COLUMN code_challenge TEXT;

-- Whether the relying party pushed the request or signed its draft, and whether a wallet has come: what anybody can begin, and no
-- wallet meets, is told to nobody when it ends. What a version before this one began is told as it always was.
ALTER TABLE interactions ADD COLUMN vouched BIGINT NOT NULL DEFAULT 1;
ALTER TABLE interactions ADD COLUMN wallet_came BIGINT NOT NULL DEFAULT 0;
