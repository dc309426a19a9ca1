### What the console's pages say, in English: what several sections share. Each section has a file of its own; all of them
### are read as one.

continue = Continue
log-out = Log out
sections = Sections
to-start = Go to the start page
back = Back
cancel = Cancel
session-line = You are logged out after 15 minutes without loading a page, and at { $until } in any case.
break-glass-banner = Account for emergencies: everything you do raises an alarm.
whole-gateway = The whole gateway
organisation = Organisation
nobody = Nobody
none = None
never = Never
reason = Reason
reason-hint = Write no employee’s name: this stays in the audit for years.
ticket = Ticket
ticket-hint = The number at your service desk, such as INC-1042. You can leave it empty.
state = State
older = Older entries
state-not-known = Not known

role-viewer = Viewer
role-desk = Desk
role-operator = Operator
role-key-custodian = Key custodian
role-administrator = Administrator
role-auditor = Auditor

nav-home = Start
nav-proposals = Proposals
nav-operators = Operators
nav-audit = Audit
nav-account = Your account

## Where something is not to be had, or was not done

trouble-code = The code of this problem is
trouble-form = This form is out of date
trouble-form-text = It does not belong to this session of yours. Nothing was done. Load the page again, and send it again.
trouble-forbidden = You may not do this
trouble-forbidden-text = Your role does not have the right. Ask an administrator if you need it.
trouble-not-found = There is nothing here
trouble-not-found-text = The address is wrong, or what it names is not there or not yours to see.
trouble-changed = Nothing was done
trouble-changed-text = Something changed meanwhile. Look at it again.
trouble-too-large = This is too large
trouble-too-large-text = Nothing was done. Send a smaller file.
trouble-too-many = Too many attempts
trouble-too-many-text = Wait 15 minutes, and try again.
trouble-wrong = This cannot be done
trouble-wrong-text = Something in the address or the form is not right.
trouble-busy = Try again in a moment
trouble-busy-text = The gateway is busy, or its database does not answer.
trouble-fault = There is a problem with the service
trouble-fault-text = This is not because of anything you did. The gateway’s log says more.
