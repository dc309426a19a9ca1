## Logging in

log-in-title = Log in to the operator console
log-in-name = Name
log-in-organisation = Organisation
log-in-organisation-hint = Only if you were added for one organisation: its short name, such as anytown.
log-in-password = Password
log-in-code = Code
log-in-code-hint = The six digits that your authenticator app shows now, or one of your recovery codes.
log-in-button = Log in
log-in-limits = We log you out after 15 minutes without activity, and after 8 hours in any case.
log-in-no-name = Enter your name
log-in-no-password = Enter your password
log-in-no-code = Enter the code that your authenticator app shows
log-in-refused = Check your name, password and code. Each code works once
log-in-too-often = There were too many attempts. Try again in 15 minutes
log-in-why-out = You have logged out.
log-in-why-out-here = You have logged out in this browser. The gateway could not be told: your session there ends in 15 minutes.
log-in-first-title = Your first time here
log-in-first-text = You need the token that was made for you.
log-in-first-link = Set up your password and authenticator
log-in-emergency-link = Use the account for emergencies

emergency-title = Use the account for emergencies
emergency-text = It has no password. Everything that is done with it raises an alarm and stands in the audit.
emergency-token = Its token
emergency-refused = This is not a token of the account for emergencies that is in force

## Setting up how one logs in

set-up-title = Set up how you log in
set-up-anew-title = Set up your password and authenticator anew
set-up-intro = You need an authenticator app on your phone: any that makes codes of six digits will do.
set-up-token = Your token
set-up-token-hint = It begins with lyo_.
set-up-current = Your password until now
set-up-password = New password
set-up-password-hint = At least 12 characters. Three words or more that do not belong together are easy to remember.
set-up-again = The new password once more
set-up-other-token = Another token of yours, if you have one
set-up-other-token-hint = You may leave this empty. With a token that was not made with the first one, your log-in no longer ends when that one is revoked.
set-up-no-token = Enter your token
set-up-no-current = Enter your password
set-up-no-code = Enter the code that your authenticator app shows
set-up-no-password = Enter a new password
set-up-not-the-same = Enter the same new password twice
set-up-wrong-token = This is not a token that is in force
set-up-there-already = You have set this up already. Log in and change it in “Your account”, or have it reset on the gateway's machine
set-up-code-title = Add your authenticator
set-up-code-alt = QR code for your authenticator app. If you cannot scan it, use the secret below.
set-up-code-open = Open your authenticator app.
set-up-code-scan = Scan this code with it.
set-up-code-type = Enter the six digits that it then shows.
set-up-code-cannot-scan = I cannot scan the code
set-up-code-secret = Type this secret into your app:
set-up-code-kind = If the app asks: it is based on time, SHA-1, 6 digits, 30 seconds.
set-up-code = Code
set-up-code-hint = Six digits. They change every 30 seconds.
set-up-code-again = Enter the code that your authenticator shows for this account now. What you scanned is shown once: if your app does not have it, begin anew.
set-up-code-anew = Begin anew
set-up-code-button = Finish
recovery-title = Keep your recovery codes
recovery-text = You are set up and logged in. Each of these codes takes the place of the authenticator’s, once: for the day on which you do not have your phone.
recovery-warning-title = You see them only now
recovery-warning = Print them or put them into your password manager, and not on the phone that has the authenticator.
recovery-continue = I have kept them
