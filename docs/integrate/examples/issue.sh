#!/bin/sh
# A credential into an employee's wallet, asked of the gateway itself: the draft is signed here and pushed.
# Says who it is first (verify.sh). Prints the serial number, by which revoke.sh revokes it.
#   issue.sh [fire-safety|programme]      which record of records.json
set -eu
record=${1:-fire-safety}
# shellcheck source-path=SCRIPTDIR source=verify.sh
. "$(dirname "$0")/verify.sh" >&2

credential_type=$(jq --exit-status --raw-output --arg record "$record" '.[$record].credential_type' "$examples/records.json")
# Yours, and to be stored before you push: so it can be revoked whatever happens from here on.
serial_number=$(uuid)
header=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
draft=$(jq --compact-output --arg record "$record" --arg iss "$client_id" --arg aud "$(endpoint issuer)" \
    --arg serial_number "$serial_number" --argjson identity "$identity" \
    '.[$record].claims + {$iss, $aud, iat: (now | floor), exp: (now + 300 | floor), SerialNumber: $serial_number,
     ExpiresAt: .[$record].expires_at,
     UniqueIdentifier: $identity["Identity.UniqueIdentifier"]}' "$examples/records.json" | base64url)
key=$(of_sandbox "$party.signing_key" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
# A key on a command line is for a sandbox: elsewhere a library signs.
signature=$(printf '%s.%s' "$header" "$draft" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64url)

issued=$(authorise "openid issue.$credential_type" --data "id_token_hint=$header.$draft.$signature")
[ "$(printf '%s' "$issued" | jq --raw-output .SerialNumber)" = "$serial_number" ] || stop "another credential was issued"
printf '%s\n' "$serial_number"
