## Legal holds

nav-holds = Legal holds
holds-intro = A hold keeps traces although their time is over. Personal values are wiped at their time all the same.
holds-none = Nothing is held.
hold-kind = What is held
hold-organisation = An organisation
hold-interaction = One interaction
hold-subject = Its id or reference
hold-subject-hint = The organisation’s id, or the interaction’s reference, request_uri or serial number.
hold-unknown = Its id or reference: there is nothing of that name that you may see, or nothing of it is held
hold-placed = Since
hold-by = Placed by
hold-change = Place or lift a hold
hold-place = Place a hold
hold-lift = Lift it
rules-title = What retention would remove now
rules-whole = Only whoever looks after the whole gateway sees this.
rule = Rule
rule-rows = Rows
rule-held = Held
done-hold-placed = It is held.
done-hold-lifted = It is held no more.
