"""Authlib as a relying party of the sandbox: it has read the discovery document and its own credentials.

    python relying_party.py verify|declined|refusals METHOD < world.json

METHOD is a client authentication method. The world is `sandbox.json`, with `certificate` when it speaks https. The
outcome is one line of JSON on standard output; whatever the library does not believe ends the program.
"""

import html
import json
import re
import secrets
import sys
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet


class RelyingParty:
    def __init__(self, world, method, secret=None):
        self.world, self.verify = world, world.get("certificate", True)
        keyed = method == "private_key_jwt"
        self.party = next(
            party
            for party in world["relying_parties"]
            if party["dialect"] == "plain" and ("private_key" in party) == keyed
        )
        gateway = world["urls"]["gateway"]
        self.provider = self.read(gateway + "/.well-known/openid-configuration")
        assert self.provider["issuer"] == gateway
        self.keys = KeySet.import_key_set(self.read(self.provider["jwks_uri"]))
        self.session = OAuth2Session(
            self.party["client_id"],
            secret or self.party.get("client_secret"),
            token_endpoint_auth_method=method,
            redirect_uri=self.party["redirect_uris"][-1],
            scope="openid Identity",
            code_challenge_method="S256",
        )
        self.session.verify = self.verify
        # A bundle of authorities in the environment would count more than ours.
        self.session.trust_env = False
        if keyed:
            self.session.client_secret = key = ECKey.import_key(self.party["private_key"])
            # The audience is what the library takes by itself: the token endpoint.
            way = PrivateKeyJWT(alg="ES256", headers={"kid": key.thumbprint()})
            self.session.register_client_auth_method(way)

    def read(self, address):
        with self.browser() as browser:
            answer = browser.get(address, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def browser(self):
        browser = requests.Session()
        browser.verify, browser.trust_env = self.verify, False
        return browser

    def go(self, consent=True):
        """An employee goes to the gateway, uses the wallet, and comes back."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        address, state = self.session.create_authorization_url(
            self.provider["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="login"
        )
        browser = self.browser()
        page = browser.get(address, timeout=20)
        employee = next(one for one in self.world["employees"] if one["case"] == "match")
        scan = f"{self.world['urls']['wallet']}/api/holders/{employee['holder']}/scan"
        asked = {"link": href(page.text, "open-wallet"), "consent": consent}
        scanned = browser.post(scan, json=asked, timeout=20)
        scanned.raise_for_status()
        ended = browser.get(page.url, allow_redirects=False, timeout=20)
        back = ended.headers.get("location") or href(ended.text, "go-back")
        answer = {name: value for name, [value] in parse_qs(urlsplit(back).query).items()}
        assert answer["iss"] == self.provider["issuer"] and answer["state"] == state
        return {"back": back, "answer": answer, "state": state, "verifier": verifier, "nonce": nonce, "employee": employee}

    def redeem(self, journey, verifier=None):
        # As Authlib's own integrations with web frameworks do it.
        if "error" in journey["answer"]:
            raise OAuthError(journey["answer"]["error"], journey["answer"]["error_description"])
        return self.session.fetch_token(
            self.provider["token_endpoint"],
            authorization_response=journey["back"],
            state=journey["state"],
            code_verifier=verifier or journey["verifier"],
        )

    def believe(self, tokens, nonce):
        token = jwt.decode(tokens["id_token"], self.keys, algorithms=self.provider["id_token_signing_alg_values_supported"])
        options = {
            "iss": {"essential": True, "value": self.provider["issuer"]},
            "aud": {"essential": True, "value": self.party["client_id"]},
        }
        wanted = {"nonce": nonce, "client_id": self.party["client_id"], "access_token": tokens["access_token"]}
        claims = CodeIDToken(token.claims, token.header, options, wanted)
        claims.validate()
        return claims


def href(page, identifier):
    tag = next(tag for tag in re.findall(r"<a\s[^>]*>", page) if f'id="{identifier}"' in tag)
    return html.unescape(re.search(r'\shref="([^"]*)"', tag).group(1))


def verify(world, method):
    party = RelyingParty(world, method)
    journey = party.go()
    claims = party.believe(party.redeem(journey), journey["nonce"])
    assert claims["Identity.UniqueIdentifier"] == journey["employee"]["unique_identifier"]
    return {"surname": claims["Identity.ID-LegalSurname"], "expected": journey["employee"]["surname"]}


def declined(world, method):
    party = RelyingParty(world, method)
    return {"error": refusal(lambda: party.redeem(party.go(consent=False)))}


def refusals(world, method):
    """What the library hears when the client, the verifier or the code is wrong, in that order."""
    party = RelyingParty(world, method)
    journey = party.go()
    heard = {}
    if method != "private_key_jwt":
        stranger = RelyingParty(world, method, secret=secrets.token_urlsafe(32))
        heard["secret"] = refusal(lambda: stranger.redeem(journey))
    heard["verifier"] = refusal(lambda: party.redeem(journey, verifier=secrets.token_urlsafe(48)))
    tokens = party.redeem(journey)
    heard["code"] = refusal(lambda: party.redeem(journey))
    try:
        party.believe(tokens, "another nonce")
    except Exception as error:
        heard["nonce"] = type(error).__name__
    return heard


def refusal(act):
    try:
        act()
    except OAuthError as error:
        return error.error
    return None


if __name__ == "__main__":
    scenario = {"verify": verify, "declined": declined, "refusals": refusals}[sys.argv[1]]
    print(json.dumps(scenario(json.load(sys.stdin), sys.argv[2])))
