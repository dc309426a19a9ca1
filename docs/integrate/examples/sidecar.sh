#!/bin/sh
# Both sequences over the sidecar, in curl: identity, credential, and the record's change that revokes it.
# ../sidecar.md explains each call; sandbox.sh says how to call this.
# shellcheck disable=SC2016 # jq has variables of its own
set -eu
# shellcheck source-path=SCRIPTDIR source=sandbox.sh
. "$(dirname "$0")/sandbox.sh"
session=$(random) # your portal's own, of one log-in
record=$(jq --arg id "$employee-fire-safety" '.["fire-safety"] + {$id}' "$examples/records.json")

# ask PATH JSON: with a key, so that asking again after a lost answer changes nothing.
ask() {
    printf 'header = "Authorization: Bearer %s"\n' "$(of_sandbox .sidecar.api_key)" |
        curl --silent --show-error --fail-with-body --retry 2 --retry-connrefused --config - \
            --header "Idempotency-Key: $(uuid)" --json "$2" "$(of_sandbox .sidecar.url)$1"
}
# told FILTER: the body of a call.
told() {
    jq --null-input --arg session "$session" --arg employee "$employee" --argjson record "$record" "$1"
}
# went_to ADDRESS: the person acts at the gateway, and what stands behind the ? of your callback's address goes to the sidecar.
went_to() {
    query=$(person "$1" | sed 's/^[^?]*?//')
    ask /v1/callbacks "$(told '{$session, $employee}' | jq --arg query "$query" '. + {$query}')"
}

person_told=$(of_sandbox '.employees[] | select(.id == $employee) | {id, first_names, surname, date_of_birth,
    email: "\($employee)@anytown.example"}')
address=$(ask /v1/verifications "$(told '{$session}' | jq --argjson employee "$person_told" '. + {$employee}')" |
    jq --exit-status --raw-output .url)
outcome=$(went_to "$address" | jq --exit-status --raw-output .outcome)
printf 'Identity: %s\n' "$outcome"
[ "$outcome" = verified ] || exit 1

states() {
    ask /v1/states "$(told '{$employee, records: [$record | {id}]}')" | jq --exit-status --raw-output ".states[0].$1"
}
if [ "$(states way_in)" = again ]; then # ask the employee first
    ask /v1/old-copies "$(told '{$employee, record: $record.id, answer: "deleted"}')"
fi
ask /v1/confirmations "$(told '{$employee, $record}')" >/dev/null # the employee saw exactly this
address=$(ask /v1/issuings "$(told '{$session, $employee, $record}')" | jq --exit-status --raw-output .url)
went_to "$address" | jq --raw-output 'select(.kind == "issuing") | "Credential: \(.state.state), serial number \(.state.serial_number // "none")"'

# The record says something else now. `expires_at` is part of what it says: to leave it out is a change by itself, and revokes.
# A whole feed goes the same way: --header 'Content-Type: text/csv' --data-binary @FILE
ask /v1/changes "$(told '$record | {change: "changed", record: .id, credential_type, expires_at,
    claims: (.claims + {"FS-Level": "2"})}')" |
    jq --raw-output '"Revocations because of the change: \(.revocations)"'
# It is written down, and done as soon as the gateway answers.
tries=30
while [ "$(states state)" = changed ] && [ "$((tries -= 1))" -gt 0 ]; do sleep 1; done
printf 'Credential: %s\n' "$(states state)"
ask /v1/sessions/end "$(told '{$session}')"
