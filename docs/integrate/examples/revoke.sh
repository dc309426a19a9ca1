#!/bin/sh
# A credential revoked at the gateway itself, with a token of its own for that. Twice has one effect.
#   revoke.sh SERIAL_NUMBER [fire-safety|programme]
set -eu
# shellcheck source-path=SCRIPTDIR source=sandbox.sh
. "$(dirname "$0")/sandbox.sh"
serial_number=${1:?"say the serial number"}
party='first(.relying_parties[] | select(.dialect == "plain" and .client_secret))'

access_token=$(printf 'user = "%s:%s"\n' "$(of_sandbox "$party.client_id")" "$(of_sandbox "$party.client_secret")" |
    curl --silent --show-error --fail-with-body --config - "$gateway/token" \
        --data grant_type=client_credentials --data scope=revocation |
    jq --exit-status --raw-output .access_token)
body=$(jq --exit-status --arg record "${2:-fire-safety}" --arg serial_number "$serial_number" \
    --arg organisation "$(of_sandbox "$party.organisation_id")" \
    '{organisationId: $organisation, credentialTemplateName: .[$record].credential_type, serialNumber: $serial_number,
      revocationReason: "Source record deleted"}' "$examples/records.json")
printf 'header = "Authorization: Bearer %s"\n' "$access_token" |
    curl --silent --show-error --fail-with-body --config - --json "$body" "$gateway/api/Revocation/revoke"
printf 'Revoked: %s\n' "$serial_number"
# It stays in the wallet, and is refused wherever it is shown: tell the employee.
