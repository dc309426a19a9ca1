## Proposals

proposals-intro = What takes two persons: one proposes it, another approves it within seven days, and then it is done.
proposals-states = Proposals by state
proposals-empty = There are none.
proposals-news = { $count } proposed by others
proposals-news-own = { $count } proposed by you
proposals-waiting = Waits for you
proposals-yours = Waits for others
proposal-open = Open
proposal-approved = Approved
proposal-declined = Declined
proposal-expired = Expired
proposal-all = All
proposal-id = Number
proposal-act = What
proposal-object = Of what
proposal-by = Proposed by
proposal-at = Proposed on
proposal-until = Open until
proposal-decided-by = Decided by
proposal-decided-at = Decided on
proposal-decision-reason = Reason of the decision
proposal-detail = What exactly
proposal-decide = Decide
proposal-decide-text = When you approve, it is done at once. Approve only what you have looked at yourself.
proposal-own-text = You proposed this: somebody else must approve it. You may take it back.
proposal-approve = Approve
proposal-decline = Decline
proposal-take-back = Take it back
done-proposed = This waits for a second person now.
done-approved = You approved this, and it is done.
done-declined = This is declined. Nothing was done.

act-operator-add = Add an operator
act-operator-role-change = Give an operator another role
act-operator-token-add = Give an operator a token
