# shellcheck shell=sh disable=SC2034,SC2016 # whoever reads this uses them; jq has variables of its own
# What the scripts of this folder share. Read by them with `.`; needs curl 7.82 or newer, openssl and jq.
#
#   LANYARD_SANDBOX   the sandbox's file; .lanyard/sandbox.json without it
#   EMPLOYEE          a test employee's id; anna without it
#   SCAN=yourself     you open the address and scan. Without it the sandbox's test wallet does, and says yes

sandbox=${LANYARD_SANDBOX:-.lanyard/sandbox.json}
employee=${EMPLOYEE:-anna}
examples=$(dirname "$0")

# of_sandbox FILTER: something that sandbox.json says.
of_sandbox() {
    jq --exit-status --raw-output --arg employee "$employee" "$1" "$sandbox"
}

gateway=$(of_sandbox .urls.gateway)

random() {
    openssl rand -base64 32 | tr -d '=\n' | tr '+/' '-_'
}

base64url() {
    openssl base64 -A | tr -d '=' | tr '+/' '-_'
}

# A UUID of version 4.
uuid() {
    openssl rand -hex 16 | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/\1-\2-4\3-a\4-\5/'
}

# member NAME: what a callback's address, on standard input, says of it. No more is decoded than comes here.
member() {
    sed -n "s/.*[?&]$1=\([^&#]*\).*/\1/p" | sed 's/+/ /g; s/%3A/:/g; s/%2F/\//g; s/%27/'"'"'/g'
}

# href ID: where the link of that id leads in the page on standard input.
href() {
    tr '\n' ' ' | grep -o "<a [^>]*id=\"$1\"[^>]*>" | sed 's/.*href="\([^"]*\)".*/\1/; s/&amp;/\&/g; s/&#38;/\&/g'
}

# person ADDRESS: the employee's part. Prints the address that the browser is sent back to; nobody need listen there.
person() {
    if [ "${SCAN:-}" = yourself ]; then
        printf 'Open %s\nScan the code. Then paste the address to which the browser went: ' "$1" >&2
        read -r came_back
        printf '%s\n' "$came_back"
        return
    fi
    cookies=$(mktemp)
    page=$(browser --location --cookie-jar "$cookies" --write-out '\n%{url_effective}' "$1")
    here=$(printf '%s\n' "$page" | tail -n 1)
    # What a phone reads from the code stands in a link, too. The same as `lanyard wallet scan EMPLOYEE LINK`.
    jq --null-input --arg link "$(printf '%s\n' "$page" | href open-wallet)" '{$link, consent: true}' |
        curl --silent --show-error --fail-with-body --json @- \
            "$(of_sandbox .urls.wallet)/api/holders/$employee/scan" |
        jq --raw-output '"The test wallet: \(.outcome)"' >&2
    # Once the wallet is done, loading the page again leads back. Where it says why not, a link does.
    page=$(browser --write-out '\nback: %{redirect_url}' "$here")
    came_back=$(printf '%s\n' "$page" | sed -n '$ s/^back: //p')
    [ -n "$came_back" ] || came_back=$(printf '%s\n' "$page" | href go-back)
    printf '%s\n' "$came_back"
    rm -f "$cookies"
}

browser() {
    curl --silent --show-error --cookie "$cookies" --header 'Accept: text/html' "$@"
}
