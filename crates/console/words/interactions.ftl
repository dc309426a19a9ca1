## Interactions

nav-interactions = Interactions
interaction = Interaction
interaction-in-hand = Reference, request_uri or serial number
interaction-in-hand-hint = The reference stands on the employee’s page, such as K7Q2-9MFD. Any spelling will do.
interaction-state = Or the state
interaction-state-hint = What the relying party sent as state.
interaction-client = Relying party
interaction-client-hint = Only with a state. You can leave it empty.
interaction-one = Type a reference, a request_uri or a serial number, or a state, and not both
interaction-unknown = Nothing is known by that: it may be older than the retention period, another gateway’s, or misread
interaction-purpose = What for
interaction-stage = Stands at
interaction-outcome = Outcome
interaction-steps = Steps of
interaction-cause = Cause
interaction-well = Nothing went wrong so far.
purpose-verify = To show a credential
purpose-issue = To get a credential
voice-person = Tell the person
voice-desk = For the service desk
voice-developer = For the developer
failures-title = What failed in the last 24 hours
failures-none = Nothing failed.
failure-count = Times
failure-desk = What it means
