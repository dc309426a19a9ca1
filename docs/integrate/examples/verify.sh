#!/bin/sh
# An employee's identity, asked of the gateway itself: OpenID Connect with a pushed request and PKCE, in curl.
# Prints the claims of the ID token. ../first-hour.md tells the same in JavaScript; sandbox.sh says how to call it.
set -eu
# shellcheck source-path=SCRIPTDIR source=sandbox.sh
. "$(dirname "$0")/sandbox.sh"

party='first(.relying_parties[] | select(.dialect == "plain" and .client_secret))'
client_id=$(of_sandbox "$party.client_id")
client_secret=$(of_sandbox "$party.client_secret")
redirect_uri=$(of_sandbox "$party.redirect_uris[0]")
discovered=$(curl --silent --show-error --fail "$gateway/.well-known/openid-configuration")
endpoint() {
    printf '%s' "$discovered" | jq --exit-status --raw-output ".$1"
}
# The secret travels through standard input: what stands on a command line, everybody on the machine can read.
as_client() {
    printf 'user = "%s:%s"\n' "$client_id" "$client_secret" |
        curl --silent --show-error --fail-with-body --config - "$@"
}

# authorise SCOPE [MORE…]: pushes a request, lets the person act, exchanges the code, prints the ID token's claims.
authorise() {
    scope=$1
    shift
    verifier=$(random)
    state=$(random)
    nonce=$(random)
    challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64url)
    request_uri=$(as_client "$(endpoint pushed_authorization_request_endpoint)" \
        --data response_type=code --data-urlencode "redirect_uri=$redirect_uri" --data-urlencode "scope=$scope" \
        --data "state=$state" --data "nonce=$nonce" \
        --data "code_challenge=$challenge" --data code_challenge_method=S256 "$@" |
        jq --exit-status --raw-output .request_uri)
    came_back=$(person "$(endpoint authorization_endpoint)?client_id=$client_id&request_uri=$request_uri")

    # Another state is another visit's; another iss is another gateway's [RFC 9207].
    [ "$(printf '%s\n' "$came_back" | member state)" = "$state" ] || stop "this is no answer to our request"
    [ "$(printf '%s\n' "$came_back" | member iss)" = "$(endpoint issuer)" ] || stop "this is not our gateway's answer"
    code=$(printf '%s\n' "$came_back" | member code)
    [ -n "$code" ] || stop "the answer was no: $(printf '%s\n' "$came_back" | member error_description)"

    # The ID token comes straight from the gateway, over TLS but in a sandbox: that stands for its signature
    # [OpenID Connect Core 3.1.3.7, point 6]. A system that is more than a script lets its library check that, too.
    id_token=$(as_client "$(endpoint token_endpoint)" --data grant_type=authorization_code --data "code=$code" \
        --data-urlencode "redirect_uri=$redirect_uri" --data "code_verifier=$verifier" |
        jq --exit-status --raw-output .id_token)
    claims=$(printf %s "$id_token" | jq --raw-input 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") |
        . + "==="[: (4 - length % 4) % 4] | @base64d | fromjson')
    printf '%s' "$claims" | jq --exit-status --arg iss "$(endpoint issuer)" --arg aud "$client_id" --arg nonce "$nonce" '
        .iss == $iss and ([.aud] | flatten == [$aud]) and .nonce == $nonce and .exp > now' >/dev/null ||
        stop "the ID token is not for this request"
    printf '%s\n' "$claims"
}

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

identity=$(authorise 'openid Identity')
printf '%s\n' "$identity" | jq .
# Genuine, valid, and held by whoever has the wallet. Whether that is who is logged in, only you know: compare.
