### What the staff portal says, in English. A key begins with the page that it belongs to; each stands in the order of
### its page. What is filled in, { $when } and the like, is ready to read.

## On many pages

back = Back
cancel = Cancel
continue = Continue
try-again = Try again
log-out = Log out
add-to-wallet = Add to wallet
add-to-wallet-again = Add to wallet again
to-credentials = Go to your credentials
not-held = Not held
sandbox-banner = Sandbox – not for real people
reference-is = Your reference is
reference-tell = Tell it to the person who helps you.
reference-contact = For help, contact:

## The session

session-line = You will be logged out after { $minutes } minutes without activity.
session-ends-at = You will be logged out at { $when }
session-because-idle = You have not done anything for a while. We log you out so that nobody else can use your account.
session-because-long = You have been logged in for a long time. You can log in again straight away and continue from where you were.
session-stay = Stay logged in
session-stay-failed = We could not keep you logged in. Check your internet connection and try again.

## How far a credential is

state-cannot-add-yet = Cannot add yet
state-cannot-add-yet-hint = You cannot add this because your record is not complete.
state-ended = Ended
state-ended-hint = You cannot add this because it ended on { $when }.
state-not-added = Not added
state-not-added-hint = Valid until { $when }
state-in-progress = In progress
state-in-progress-hint = You started adding this at { $when }.
state-added = Added
state-added-hint = Added to your wallet on { $when }.
state-changed = Changed
state-changed-hint = This has changed. Delete the one in your wallet and add the new one.
state-cancelled = Cancelled
state-cancelled-hint = Cancelled on { $when }. Delete it from your wallet.
state-checking = Checking
state-checking-hint = We are checking if this reached your wallet.
state-expired = Expired
state-expired-hint = This ended on { $when }. Delete it from your wallet.

## Log in

login-title = Log in to your staff account
login-logged-out = You have logged out.
login-logged-out-here = You have logged out here.
login-end-at-provider = Log out of { $provider } too
login-timed-out = You were logged out because your time was up. Log in to continue from where you were.
login-username = Username
login-password = Password
login-limits = We log you out after { $minutes } minutes without activity, and after { $hours } hours in any case.
login-button = Log in
login-with-provider = Log in with { $provider }
login-by-password = Log in with a password
login-provider-down = You cannot log in with { $provider } at the moment. Try again later.
login-provider-fault = You cannot log in with { $provider } because something is not set up correctly. Tell your HR team.
login-declined = You are not logged in. You stopped, or { $provider } did not let you in. You can try again.
login-too-weak = { $provider } did not check who you are in the way that this service needs. Log in there again and use your second step, such as a code or an app.
login-unknown = You logged in with { $provider }, but we could not find a staff account that belongs to it. Ask your HR team to add you or to correct your account.
login-start-again = Your log-in was not finished in this browser, or took too long. Start again.
login-no-username = Enter your username
login-no-password = Enter your password
login-wrong-pair = Check your username and password
login-too-often = You have tried too many times. Try again in 15 minutes

## Your staff account

home-title = Your staff account
home-welcome = You are logged in as { $name }.
home-passport-title = Add your credentials to your staff passport
home-passport-text = Put proof of your training and your placements into the digital wallet on your phone.
home-to-tell-title = People to tell
home-to-tell-text = For HR: who may not know that a credential is cancelled, and what has not arrived.
home-to-look-at-title = Identities to look at
home-to-look-at-text = For HR: whose identity credential is not written in the same way as their record.
home-records-title = Your records
home-records-text = If something in your records is wrong, ask your HR team to correct it.

## Your credentials

list-title = Your credentials
list-intro = You can add these to your digital wallet.
list-empty = There is nothing in your records yet that you can add to your wallet. If something is missing, ask your HR team.
list-cannot-see = We cannot see what is in your wallet. If you deleted a credential you can add it again.
list-one-cancelled = { $title } has been cancelled. Delete it from your wallet.
list-several-cancelled = { $count } of your credentials have been cancelled. Delete them from your wallet.

list-lost-phone = I have lost my phone

## A lost phone

lost-phone-title = I have lost my phone
lost-phone-nothing = Nothing of what you added here is in your wallet now, so there is nothing to cancel.
lost-phone-what = We will cancel everything you added to the wallet on that phone, so that nobody else can use it:
lost-phone-again = You can add all of it again when you have a wallet on another phone.
lost-phone-identity = Your identity credential comes from your employer. Tell them too, so that they can cancel it and give you a new one.
lost-phone-warning-title = You cannot undo this
lost-phone-warning = If you find your phone, you still have to add your credentials again.
lost-phone-button = Cancel all my credentials
lost-phone-done-title = We are cancelling your credentials
lost-phone-done = In a few minutes nobody will be able to use them.
lost-phone-next-title = What happens next
lost-phone-next-identity = Get a new identity credential from your employer.
lost-phone-next-add = Log in here and add your credentials to the wallet on your new phone.

## One credential

credential-copy-stays = You can no longer share it. The copy in your wallet stays there until you delete it.
credential-checking = This usually takes a few minutes. You do not need to do anything.
wallet-what = What is a digital wallet?
wallet-is = A digital wallet is an app on your phone. It keeps your credentials, and you decide who you share them with.
wallet-not-needed = You do not have to use a wallet. Ask your HR team for another way to share your information.

## Adding it again

again-title = Delete the old credential first
again-added = You added { $title } to your wallet on { $when }.
again-warning-title = Only keep 1 copy
again-warning = If you add it again without deleting the old copy, you will have 2 and could share the wrong one.
again-how-title = How to delete a credential
again-how-open = Open your wallet and go to your credentials. In Microsoft Authenticator, this is the tab ‘Verified IDs’.
again-how-choose = Choose the credential.
again-how-delete = Select the bin or ‘Delete’, and confirm.
again-question = Have you deleted the old credential from your wallet?
again-yes = Yes, I have deleted it
again-not-there = It is not in my wallet any more
again-no = No, go back
again-unanswered = Select if you have deleted the old credential

## Check the information

confirm-title = Check the information that will go in your wallet
confirm-exactly = This is exactly what the credential will say.
confirm-about-title = About this credential
confirm-valid-until = Valid until
confirm-issued-by = Issued by
confirm-unique-identifier = Your staff passport unique identifier
confirm-unique-identifier-later = Added after you share your identity
confirm-changed = This information changed at { $when }. Check it again.
confirm-wrong-title = Something is wrong
confirm-wrong-who = Ask your HR team to correct your record.
confirm-wrong-wait = Do not add it until it is corrected.
confirm-button = Confirm and continue

## Verify your identity

identity-title = Verify your identity
identity-why = You need to share the identity credential from your wallet. We check it matches your account.
identity-once = You only need to do this once each time you log in.
identity-shared-title = What you will share
identity-shared-first-name = your first name
identity-shared-surname = your surname
identity-shared-birth-date = your date of birth
identity-shared-identifier = your staff passport unique identifier
identity-need-title = What you need
identity-need-phone = your phone with your wallet
identity-need-credential = the identity credential your employer gave you
identity-none-title = I do not have an identity credential
identity-none = Contact the HR team at your employer. You cannot continue without it.
identity-button = Verify your identity

identity-done-title = Your identity has been verified
identity-done-now = You can now add credentials until you log out.
identity-done-earlier = You shared your identity earlier. You can add credentials until you log out.

identity-mismatch-title = We could not match your identity
identity-mismatch = The name or date of birth in your identity credential is different from your account. We have not added anything to your wallet.
identity-mismatch-renamed = If you changed your name recently, ask your HR team to update your record.
identity-mismatch-last = You cannot try again until you next log in. If you think that this is a mistake, contact support.
identity-review-title = Your HR team needs to check your identity
identity-review = Your identity credential is not written in the same way as your account. We have not added anything to your wallet.
identity-review-ask = Ask your HR team to look at it with you. Have your phone with you, and proof of who you are that has your photo, such as a passport.
identity-review-then = They will correct your record, or confirm that it is you. Then log in here and share your identity again.
identity-review-other = If you have another identity credential in your wallet, you can try again with that one now.
identity-looked-at-title = You can share your identity again
identity-looked-at = Your HR team has confirmed that the identity credential is yours. Share it once more to continue.
identity-looked-at-log-in-again = Your HR team has confirmed that the identity credential is yours. To continue, log out, log in again and share it once more.
identity-not-shared-title = You did not share your identity
identity-not-shared = Your wallet did not share an identity credential. We have not added anything to your wallet.
identity-not-shared-none = If you do not have an identity credential, contact the HR team at your employer. You cannot continue without it.
identity-too-long-title = You took too long
identity-too-long = The code to share your identity was no longer valid. We have not added anything to your wallet.
identity-unusable-title = Your identity credential cannot be used
identity-unusable = Ask your employer for a new one. We have not added anything to your wallet.

## Coming back

finishing-title = We are finishing up
finishing-text = This takes a few seconds.
finishing-done = Finished. Taking you to the next page.
elsewhere-title = Go back to the page where you started
elsewhere-browser = You may have finished in a different browser. Open that page again and select ‘I have finished in my wallet’.
elsewhere-else = If you cannot find that page, start again from your credentials.

## What became of it

added-title = Credential added to your wallet
added-when = Added on { $when }
added-next-title = What happens next
added-next-log-in = Log in to your staff passport portal.
added-next-upload = Upload the credential.
added-next-share = Share it with your employer.
added-missing-title = I cannot find it in my wallet
added-missing = Close your wallet and open it again. If the credential is still not there, you can add it again from your credentials.
added-another = Add another credential
added-home = Back to your records
not-added-title = The credential was not added
not-added-text = You cancelled or did not accept it in your wallet.
not-added-too-long = You took too long, so the code was no longer valid.
stale-title = The information changed while you were adding it
stale-cancelling = We are cancelling that credential.
stale-cancelled = We cancelled that credential.
stale-delete = Delete it from your wallet if you can see it, then add the new one.
stale-again = Add the new one
checking-title = We are checking if it was added
checking-text = We could not find out if the credential reached your wallet.
checking-wait = We will keep checking. Your list of credentials will show the answer as soon as we know it, usually in a few minutes.
checking-look = If you see it in your wallet, keep it there for now. You do not need to do anything.

## Not for this person

not-applicable-title = You cannot use this service yet
not-applicable-why = The staff passport does not apply to you at the moment.
not-applicable-ask = If you think it should, ask your HR team.

## What went wrong

problem-service-title = There is a problem with the service
problem-service-safe = Your information is safe and you have not lost your place.
problem-service-later = Try again later.
problem-too-old-title = This page is too old
problem-too-old = You may have logged out or logged in again since you opened it. Nothing was changed. Go back, and try again from a new page.
problem-not-found-title = Page not found
problem-not-found = There is nothing at this address, or it is not yours to see. Check the address, or go back.

## What was done and seen

audit-title = What was done and seen
audit-title-about = What was done and seen about { $employee }
audit-tab = { $title } – HR office
audit-intro = Who logged in, confirmed, added, looked at or changed something. It does not show what a record or a credential says.
audit-all = Show it about everybody
audit-empty = Nothing yet.
audit-export = Get all of it as a CSV file
audit-caption = What was done and seen, newest first
audit-when = When
audit-what = What
audit-who = Who
audit-about = About whom
audit-older = Older
audit-link-about = What was done and seen about this person
audit-hr = HR office
audit-feed = Feed of records
audit-desk = This service, by itself
audit-anybody = Someone who was not logged in
audit-everybody = Everybody
audit-log-in = Logged in
audit-log-in-refused = Could not log in
audit-log-out = Logged out
audit-confirmed = Confirmed the information
audit-identity-started = Went to share their identity
audit-adding-started = Went to add the credential
audit-phone-lost = Lost their phone: cancelled everything
audit-credential-revoked = Cancelled the credential
audit-list-viewed = Looked at the list of everybody
audit-person-viewed = Looked at the person
audit-record-viewed = Looked at the record
audit-person-changed = Changed the person
audit-person-left = Took the person out
audit-record-changed = Changed the record
audit-record-ended = Ended the record
audit-record-deleted = Deleted the record
audit-audit-viewed = Looked at this list
audit-audit-exported = Got this list as a file
audit-to-tell-viewed = Looked at whom to tell
audit-told-another-way = Told the person that a credential is cancelled
audit-mail-sent-again = Had an email to the person sent again
audit-reviews-viewed = Looked at the identities to look at
audit-identity-accepted = Said that the identity is the person’s
audit-identity-refused = Said that the identity is not the person’s

## People to tell, for HR

to-tell-title = People to tell
to-tell-intro = These people may still hold a cancelled credential. We do not know if they have been told. Reach them by phone or in person.
to-tell-button = I have told { $employee } about { $title }
to-tell-credential = Credential
to-tell-told = You have told them
to-tell-again-button = Email { $employee } about { $title } again
to-tell-again = We are sending the email again
to-tell-not-arrived-text = These are waiting, or failed. You only need to do something where it says ‘Given up’: reach the person another way, or send the email again when the address or the email system has been put right.

## Identities to look at, for HR

to-look-at-title = Identities to look at
to-look-at-intro = These people shared an identity credential that is not written in the same way as their record. They cannot add anything to their wallet until you have looked at it.
to-look-at-nothing = There is nothing to look at.
to-look-at-how-title = What to do
to-look-at-how-meet = Meet the person. Ask for proof of who they are that has their photo, such as a passport.
to-look-at-how-open = Ask them to open their identity credential in their wallet. Check that its unique identifier ends as shown here. If it does not, it is not the credential that they shared.
to-look-at-how-compare = Compare the name and date of birth in the credential with the proof and with your record.
to-look-at-how-correct = If your record is wrong, correct it in your HR system. This line then goes by itself, and you do not have to decide anything. If the credential is wrong, ask the person to get a new one from whoever gave it to them.
to-look-at-how-decide = If both are right, say if it is the same person.
to-look-at-why = What is different
to-look-at-ends-with = Unique identifier ends in
to-look-at-name = Name on record
to-look-at-known-as = Known as, on record
to-look-at-born = Date of birth on record
to-look-at-first = First shared
to-look-at-last = Last shared
to-look-at-same = It is { $employee }
to-look-at-not-same = It is not { $employee }
to-look-at-own = This is about you. Someone else in HR needs to look at it.
to-look-at-decided-title = What was decided
to-look-at-decided-text = A decision counts for 30 days, or until the record changes. Correct the record in that time, or the person is in this list again. If a decision was wrong, change it here.
to-look-at-found = Decision
to-look-at-is-same = It is the same person
to-look-at-is-not-same = It is not the same person
to-look-at-decided = Decided
to-look-at-said-same = You have said that it is the same person. Ask them to share their identity again.
to-look-at-said-not-same = You have said that it is not the same person. The identity credential cannot be used here.
to-look-at-gone = There was nothing left to decide. The record may have been corrected.
why-first-name-differs = The first names are not the same.
why-surname-differs = The surnames are not the same.
why-birth-date-differs = The dates of birth are not the same.
why-birth-date-not-held = Your record has no date of birth, so only the names could be compared.
why-names-swapped = First name and surname may have changed places.
why-names-similar = The names look or sound alike. One of them may have a spelling mistake.
why-generation-differs = They do not say in the same way which of 2 people of one name it is, such as junior or senior.
why-first-name-in-part = Only some of the first names are the same.
why-first-name-pet-form = One first name may be another form of the other. If the person uses it, add it to the record as the name that they are known as.
why-surname-in-part = Only a part of the surname is the same.
why-letters-mixed = A name has numbers, signs or letters of another alphabet that look like the right ones.
why-birth-date-transposed = Day and month may have changed places.
why-other = Something else is not the same.

## The sandbox’s HR office

hr-title = HR office
hr-intro = Change, end or delete a record here, and see what becomes of its credential.
hr-saved = The record is saved
hr-ended = The record ends today
hr-deleted = The record is deleted
hr-not-arrived-title = What has not arrived
hr-all-arrived = Everything has arrived.
hr-revocation-of = Revocation of { $title }
hr-mail-about = Email about { $title }
hr-erasure = Erasure of a person
hr-waits-for = Waits for
hr-waits-for-in-force = A credential that must be cancelled first
hr-waits-for-on-its-way = A credential that is just being added to a wallet
hr-waits-for-revocation = A credential that is being cancelled
hr-waits-for-mail = An email that has not been sent yet
hr-employee = Employee
hr-since = Waiting since
hr-tries = Tries
hr-next-try = Next try
hr-given-up = Given up because
hr-given-up-address = The address does not take emails
hr-given-up-service = The email service failed. Ask whoever looks after this portal about ‘{ $code }’.
hr-may-still-hold-title = People who may still hold a cancelled credential
hr-may-still-hold-text = We do not know if they have been told. Someone needs to reach them another way.
hr-nobody-to-tell = Everybody has been told.
hr-cancelled = Cancelled
hr-not-told-because = Not told because
hr-not-told-no-mail = There is no address to write to
hr-not-told-address = The address does not work
hr-not-told-given-up = The email could not be sent
hr-not-told-held = The email is being held back
hr-not-told-not-delivered = We do not know if the email arrived
hr-not-applicable = The staff passport does not apply to this person.
hr-no-records = No records.
hr-record-tab = { $title }: { $employee } – HR office
hr-person-tab = { $employee } – HR office
hr-ended-on = This record ended on { $when }.
hr-save = Save
hr-wrong-date = Enter a date like 2026-11-03
hr-wrong-number = Enter a whole number, such as 1
hr-wrong-choice = Enter one of: { $choices }
hr-wrong-text = Enter 1000 characters or fewer, on one line
hr-edit-person = Change names, date of birth or email address
hr-person-saved = The employee’s data is saved
hr-first-names = First names
hr-surname = Surname
hr-known-as = Known as
hr-date-of-birth = Date of birth
hr-email = Email address
hr-wrong-name = Enter a name that is 200 characters or fewer
hr-wrong-known-as = Enter a name that is 200 characters or fewer, or leave it empty
hr-wrong-email = Enter an email address like name@example.com, or leave it empty
hr-end-title = End or delete
hr-end-text = Both cancel the credential, if it was added. Only delete a record that should never have been there: we tell its employee that it was added in error. A deleted record is no longer in the HR office’s list.
hr-end = End this record today
hr-delete = Delete this record
