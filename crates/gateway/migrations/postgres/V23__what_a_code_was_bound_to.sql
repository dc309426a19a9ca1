-- What a redeemed code was bound to: who sends the code again with just this replays it; with anything else it is somebody else's
-- code, put into another session. NULL: not redeemed, or by a version before this one.
ALTER TABLE interactions ADD COLUMN code_redirect_digest TEXT;
ALTER TABLE interactions ADD COLUMN code_challenge TEXT;
