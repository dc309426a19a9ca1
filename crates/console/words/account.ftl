## One's own account

account-log-in = How you log in
account-set-up = Set up on
account-last-used = Last logged in with it
account-codes-left = Recovery codes left
account-password-title = Change your password
account-password-text = Every other session of yours ends.
account-anew = Set up password and authenticator anew
account-tokens-text = For “lanyard admin” and programs of yours. Whoever has one is you.
account-few-codes = Recovery codes left: { $count }
account-few-codes-hint = You get new ones when you set up your authenticator anew.
state-do-it = Do it soon
token-new-title = Make a token
token-new-button = Make a token
token-new-proof = Show that it is you. The token ends with this session: when you log out, or after eight hours.
token-new-once = You see it only now
token-new-text = Keep it where only you can read it. Nobody can show it to you again.
token-done-before = This form was sent before, and the token was made then. No other one was made now, and nobody can show it to you again: if you did not keep it, revoke it below and make another.
account-rests-on = You set this up with the token { $token } and have shown no other since. Whoever revokes that token, or the one it was made with, ends this log-in too. Set it up anew with another token of yours, and it stands by itself.
token-new-ends = It is in force until { $ends }.
done-password = Your password is changed.
