### What every page says outside of its own content, in English. The same keys stand in each language's catalogue.

skip-link = Skip to main content
error-prefix = Error:
notice = Notice
languages = Language
draft = Draft
draft-note = Draft Welsh: needs review.
account = Account
back = Back
support-links = Support links

## The components

error-summary = There is a problem
inset = Information:
callout = Important:
banner = Important
banner-success = Success
show = Show
show-password = Show password

## The Help page

help = Help
help-contact = If something goes wrong, contact:
help-contact-desk = If something goes wrong, contact the help desk of your organisation.
help-reference = Pages that wait for your wallet, and pages that tell you about a problem, show a reference. Give this reference if you ask for help: it shows the person who helps you what happened.
help-no-wallet = If you cannot use a digital wallet
help-no-wallet-text = You do not have to use one. Ask the HR team of your employer for another way to share your information.
help-assisted = The organisation that runs this service says:
help-accessibility = Read our
help-accessibility-link = accessibility statement

## The accessibility statement

accessibility = Accessibility statement
accessibility-draft = This is a draft. The organisation that runs this service completes it before the service is opened.
accessibility-scope = This statement is about the pages of { $service }.
accessibility-should = What you should be able to do
accessibility-should-list = You should be able to:
accessibility-should-zoom = zoom in to 400% without text spilling off the screen
accessibility-should-colours = use your own colours and fonts, and turn off movement
accessibility-should-keyboard = go through every page with a keyboard only
accessibility-should-reader = listen to every page with a screen reader
accessibility-should-script = do everything without JavaScript
accessibility-should-scan = use a link, a short code or a wallet on the same device instead of scanning a QR code
accessibility-status = How accessible these pages are
accessibility-status-text = The Web Content Accessibility Guidelines version 2.2 have 3 levels. These pages are built to meet level AA. Programs check that with every change, but they find only about a third of what can be wrong. No people have tested these pages yet, so we treat them as partially compliant.
accessibility-known = What we know does not work
accessibility-known-welsh = The Welsh text is a draft that no translator has reviewed.
accessibility-known-labels = On Welsh pages, the names of credentials and of the information in them are in English.
accessibility-known-time = You have 30 minutes to use a QR code. You cannot extend that time, but you can go back and start again. A page tells you when 2 minutes are left.
accessibility-known-wallet = Digital wallets are made by others. We cannot say how accessible they are.
accessibility-report = Tell us what does not work
accessibility-report-contact = If you find something that does not work, or need this information in another form, contact:
accessibility-report-desk = If you find something that does not work, or need this information in another form, contact the help desk of your organisation.
accessibility-enforcement = Enforcement
accessibility-enforcement-text = In Great Britain the Equality and Human Rights Commission enforces the Public Sector Bodies (Websites and Mobile Applications) (No. 2) Accessibility Regulations 2018. If you are not happy with how your complaint is answered, contact the Equality Advisory and Support Service.
accessibility-date = We prepared this statement on 28 November 2026.
