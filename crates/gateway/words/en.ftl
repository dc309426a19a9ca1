### What the gateway's pages say, in English. A key begins with the page that it belongs to. What is filled in,
### { $credential } and the like, is ready to read. The same keys stand in each language's catalogue.

for-whom = For { $relying_party }
reference-is = Your reference is
reference-tell = Give this reference if you ask for help.
reference-contact = For help, contact:
try-again = Try again
go-back = Go back
go-back-to = ‘Go back’ takes you to { $relying_party }.
nothing-shared = Nothing was shared with { $relying_party }.
nothing-added = Nothing was added to your wallet.
information-safe = Your information is safe. This is not because of anything you did.
try-later = Try again in a few minutes. If it still does not work, ask for help.
list = { $rest } and { $last }
from-employer-several = They come from your employer. If you do not have them, contact the HR team there.
from-employer = It comes from your employer. If you do not have it, contact the HR team there.

## The page that waits for a wallet

title-share = Scan the QR code to share your { $credential }
title-add = Scan the QR code to add the { $credential } credential to your wallet
title-share-here = Share your { $credential } from your wallet
title-add-here = Add the { $credential } credential to your wallet
title-scanned = QR code scanned
title-opened = Continue in your wallet
title-answered = Your wallet has answered
title-shared = Your { $credential } was shared
title-shared-several = Your { $credential } were shared
title-added = The credential was added to your wallet
status-waiting = Waiting for you to scan. You have until { $until }.
status-waiting-here = Waiting for you to open your wallet. You have until { $until }.
status-scanned-share = Follow the instructions in your wallet. Select ‘Share’.
status-scanned-add = Follow the instructions in your wallet. Select ‘Add’.
status-checking-share = Checking your { $credential }.
status-checking-add = Adding the credential.
status-returning = Go on in the page that your wallet opened.
status-done = Finished. Taking you back to { $relying_party }.
status-two-minutes = You have 2 minutes left.
status-copied = The link is copied.
status-not-copied = The link could not be copied. Select it and copy it yourself.
status-nothing-happened = Nothing happened? Check that your wallet is installed on this device.
code-share = QR code to share your { $credential }. If you cannot scan it, use the other ways on this page.
code-add = QR code to add the { $credential } credential to your wallet. If you cannot scan it, use the other ways on this page.
another-device = On another device, such as your phone
step-open = Open your digital wallet.
step-scan = Choose to scan a QR code, and scan this one.
step-pin = If your wallet asks for a PIN, type the one on this page.
step-share = Check what you will share, then select ‘Share’.
step-add = Check the information, then select ‘Add’.
only-if-yours = Only scan this code if you started this yourself.
open-link = Open this request in a wallet app
show-larger = Show the code larger
this-device = On this device
use-another-device = Use another device
open-wallet-here = Open my wallet on this device
continue = Continue
returning-elsewhere = If it opened no page, or a page in another browser than this one, stay in this browser. Select ‘Start again’, then scan the QR code with a wallet on another device.
returning-one-device = If you have only this device, open { $relying_party } in the browser that your wallet opens, and start again there.
finished = I have finished in my wallet
start-again = Start again
cancel = Cancel
what-is-shared = What you will share
what-is-added = What will be added
what-it-holds = Information in the credential
asks-for = { $relying_party } asks for this information from your { $credential } credential, to check who you are. { $organisation } checks it.
asks-for-several = { $relying_party } asks for this information from your { $credential } credentials. { $organisation } checks it.
is-issued-by = The { $credential } credential, issued by { $organisation }. { $relying_party } asked for it to be added.

## The PIN that the wallet asks for

pin-text = Your wallet will ask for this PIN:
pin-keep = Type it into your wallet only. Do not tell it to anyone.

## For whoever cannot scan

cannot-scan = I cannot scan the code
cannot-scan-here = If your wallet is on this device, use the button ‘{ $button }’.
cannot-scan-larger = If your camera does not read the code, show it larger.
cannot-scan-open = If your wallet is an app on this device, it may open this link:
cannot-scan-link = If your wallet takes a link, copy this one and paste it there:
link-label = Link for your wallet
copy-link = Copy the link
cannot-scan-short-code = If your wallet takes an address that you type, use a short one.
show-short-code = Show a short code
short-code-only = It works once. Do not tell it to anyone: it is not your reference.
cannot-scan-phone = If you have only one device, open { $relying_party } on it and start again there.
cannot-scan-assisted = If you cannot use a wallet, there is another way:
cannot-scan-employer = If you cannot use a wallet, ask the HR team of your employer for another way.

## How it ended

expired-title = You took too long
expired-text = Go back and start again.
declined-share-title = Your { $credential } was not shared
declined-share-title-several = Your { $credential } were not shared
declined-share-next = If your wallet does not have your { $credential } credential, contact the HR team of your employer.
declined-share-next-several = If your wallet does not have your { $credential } credentials, contact the HR team of your employer.
declined-add-title = The credential was not added to your wallet
declined-add-text = You cancelled or did not accept it in your wallet.
cancelled-title = You cancelled
cancelled-text = You selected ‘Cancel’.
not-kept-title = Your wallet did not keep the credential
not-kept-text = You did not accept it, or your wallet could not keep it. We cancelled it, so it cannot be used.
not-kept-next = If you can see it in your wallet, delete it. Go back and start again to get a new one.
wrong-credential-title = We could not use that credential
wrong-credential-text = Choose your { $credential } credential.
wrong-credential-title-several = We could not use those credentials
wrong-credential-text-several = Choose your { $credential } credentials.
missing-title = Your wallet does not have your { $credential } credential
missing-title-several = Your wallet does not have all your credentials
missing-text = Add the { $credential } credential to your wallet, then try again. If it is in another wallet, use that one.
missing-text-several = You need your { $credential } credentials in one wallet. Add what is missing, then try again.
too-late-title = Your wallet took too long
too-late-text = Try again, and answer in your wallet within 5 minutes.
wallet-share-title = Your wallet could not share the credential
wallet-share-title-several = Your wallet could not share the credentials
wallet-share-text = Check that your wallet is up to date, then try again.
different-people-title = Those credentials belong to different people
different-people-text = Choose your own { $credential } credentials.
wallet-add-title = Your wallet could not add the credential
wallet-add-text = Check that your wallet is up to date, then try again.
pin-wrong-title = The PIN was wrong too many times
pin-wrong-text = Try again to get a new code and a new PIN.
serial-number-taken-title = We could not add the credential
serial-number-taken-text = Go back and start again. If it happens again, ask for help and give the reference on this page.
unusable-title = Your { $credential } credential cannot be used
unusable-title-several = Your { $credential } credentials cannot be used
unusable-expired = It has expired.
unusable-expired-next = Delete it from your wallet and ask your employer for a new one.
unusable-not-yet-valid = It is not valid yet.
unusable-not-yet-valid-next = Check the date it starts, or ask your employer.
unusable-revoked = The organisation that gave it to you has cancelled it.
unusable-revoked-next = Delete it from your wallet and ask your employer for a new one.
unusable-suspended = The organisation that gave it to you has suspended it.
unusable-suspended-next = Ask your employer why.
unusable-not-trusted = It does not come from an organisation that this service accepts.
unusable-not-trusted-next = Ask your employer for one that you can use here.
problem-title = There is a problem with the service

## Pages with one code, or one link

large-code-title = QR code for your wallet
short-link-title = Open this in your digital wallet
short-link-shares = This link asks you to share a credential from your wallet.
short-link-adds = This link adds a credential to your wallet.
short-link-only = Only continue if you started this yourself.
short-link-open = Open my wallet
short-link-nothing = If nothing happens, open your wallet and scan the QR code with it.
short-link-nothing-typed = If nothing happens, type the address into your wallet instead of your browser.

## Pages that lead nowhere by themselves

cannot-continue-title = We cannot continue
cannot-continue-fault = This is a fault in the website you came from. Nothing was shared or added to your wallet.
cannot-continue-next = Contact the people who run that website and give them this reference.
used-title = This page has already been used
used-next = Go back to { $relying_party } and start again.
used-next-unknown = Go back to the website you came from and start again.
unknown-code-title = We do not know this code
unknown-code-why = It may be mistyped, used or too old.
unknown-code-next = Check it and type it again. If it still does not work, go back to the page where you got it and start again.
other-browser-title = Go back to the browser where you started
other-browser-why = Your wallet opened this page in another browser than the one that you started in. For your safety we go on only there.
other-browser-next = Go back to that browser. The page that you left there tells you what to do.
other-browser-lost = If you cannot find it, go back to the website you came from and start again.
no-cookie-title = Your browser did not keep our cookie
no-cookie-why = This service needs one cookie while you use it, so that it knows your browser again when your wallet answers. It is used for nothing else.
no-cookie-next = Allow cookies for this website in the settings of your browser, then load this page again.
too-many-title = The service is busy
too-many-text = Many people on your network may be using it at the same time. This is not because of anything you did, and nothing is lost.
too-many-next = Wait for a minute, then load this page again. If it still does not work, ask for help.

## The status page

status-title = Service status
status-tag-working = Working
status-tag-trouble = Problem
status-working = The service is working.
status-trouble = The service has a problem at the moment. You may not be able to share or add credentials.
status-as-of = This was checked on { $when }.
status-planned = Planned work
status-planned-none = No work is planned.
status-planned-span = { $from } to { $to }
status-days = Recent days
status-share-of-a-day = The service was available for { $share }% of the time. This counts the one day for which there are records, without planned work.
status-share = The service was available for { $share }% of the time. This counts the last { $days } days for which there are records, without planned work.
status-no-interruptions = There were no interruptions.
status-interruptions = There were interruptions on these days:
status-minute = { $minutes } minute
status-minutes = { $minutes } minutes
status-unknown = Nothing is recorded yet.
status-help = Get help
status-feed = Follow the status in a feed reader (Atom)
