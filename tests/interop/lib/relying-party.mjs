// `openid-client` as a relying party that has read nothing but the discovery document and its own credentials.

import { randomUUID } from "node:crypto";
import { SignJWT, calculateJwkThumbprint, decodeProtectedHeader, exportJWK, importPKCS8 } from "jose";
import * as client from "openid-client";

import { Browser } from "./browser.mjs";

/** The older contracts want it said; an ordinary library does not say what goes without saying. */
const SAID = { response_mode: "query" };
const V2 = { dialect: "v2", discovery: "/v2.0/.well-known/openid-configuration", asks: SAID };

/** How a kind of client differs: where discovery begins, how it says who it is, what it wants signed how, and asks besides. */
const KINDS = {
  plain: { discovery: "", authentication: client.ClientSecretBasic, metadata: { id_token_signed_response_alg: "ES256" } },
  "plain, by post": { dialect: "plain", discovery: "", authentication: client.ClientSecretPost },
  "plain, with its own key": { dialect: "plain", discovery: "", keyed: true, metadata: { id_token_signed_response_alg: "EdDSA" } },
  // Names the base as its issuer and stands below it, so its own address is given.
  v2: { ...V2, authentication: client.ClientSecretPost },
  "v2, by the header": { ...V2, authentication: client.ClientSecretBasic },
  "v1-b": { discovery: "/oidc", authentication: client.ClientSecretPost, asks: SAID },
  // What the gateway has not.
  "plain, with a secret that signs": { dialect: "plain", discovery: "", authentication: client.ClientSecretJwt },
  "plain, without a proof": { dialect: "plain", discovery: "", authentication: client.None },
  "v2, with a secret that signs": { ...V2, authentication: client.ClientSecretJwt },
  "v2, without a proof": { ...V2, authentication: client.None },
};

/** A relying party of the sandbox. */
export class RelyingParty {
  #config;
  #party;
  #world;
  #key;
  #asks;
  /** What the last ID token was signed with. */
  algorithm;

  static async discover(world, kind) {
    const { dialect = kind, discovery, authentication, keyed = false, metadata = {}, asks } = KINDS[kind];
    const party = world.party(dialect, keyed);
    const key = keyed ? await ownKey(party.private_key) : undefined;
    const execute = [client.enableNonRepudiationChecks];
    if (world.insecure) execute.push(client.allowInsecureRequests);
    const config = await client.discovery(
      new URL(world.urls.gateway + discovery),
      party.client_id,
      { ...(keyed ? {} : { client_secret: party.client_secret }), ...metadata },
      keyed ? client.PrivateKeyJwt(key) : authentication(party.client_secret),
      { execute, [client.customFetch]: world.fetch },
    );
    return new RelyingParty(world, party, config, key, asks);
  }

  constructor(world, party, config, key, asks) {
    this.#world = world;
    this.#party = party;
    this.#config = config;
    this.#key = key;
    this.#asks = asks;
  }

  get metadata() {
    return this.#config.serverMetadata();
  }

  /** Asks for a credential. With `push` false the parameters travel in the address. */
  verify(type, { push = true, scope = `openid ${type}` } = {}) {
    return this.#begin({ scope }, push);
  }

  /** Offers a credential: the draft is signed with the signing key, which both sides hold, or the client's own; and pushed. */
  async issue(type, claims, { scope = `openid issue.${type}` } = {}) {
    const serialNumber = randomUUID();
    this.#world.chose(serialNumber);
    const draft = await signDraft(this.#party, this.metadata.issuer, { ...claims, SerialNumber: serialNumber }, this.#key);
    return { ...(await this.#begin({ scope, id_token_hint: draft }, true)), serialNumber };
  }

  async #begin(parameters, push) {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const request = {
      ...parameters,
      ...this.#asks,
      redirect_uri: this.#party.redirect_uris.at(-1),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    };
    const build = push ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
    const address = await build(this.#config, request);
    const browser = new Browser(this.#world.fetch);
    const page = await browser.page(address);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    return { address, browser, page, checks };
  }

  /** The browser comes back with a code, and the library believes the ID token; or it throws what it heard. */
  async finish({ browser, page, checks }) {
    const back = await browser.back(page.url);
    return this.redeem(back, checks);
  }

  async redeem(back, checks) {
    const tokens = await client.authorizationCodeGrant(this.#config, back, checks);
    this.algorithm = decodeProtectedHeader(tokens.id_token).alg;
    this.tokens = tokens;
    return tokens.claims();
  }

  /** What the userinfo endpoint says to the last access token. */
  userinfo() {
    return client.fetchUserInfo(this.#config, this.tokens.access_token, this.tokens.claims().sub);
  }

  /** A token for revoking, without any employee; then the newer revocation. */
  async revokeWithToken(type, serialNumber, scope = "revocation") {
    const { access_token } = await client.clientCredentialsGrant(this.#config, { scope });
    const response = await this.#world.fetch(`${this.#world.urls.gateway}/api/Revocation/revoke`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${access_token}` },
      body: JSON.stringify({
        organisationId: this.#party.organisation_id,
        credentialTemplateName: type,
        serialNumber,
      }),
    });
    return response.status;
  }

  /** The organisation takes a credential back. */
  async revoke(type, serialNumber) {
    const response = await this.#world.fetch(`${this.#world.urls.gateway}/Revocation/revokecredential`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_id: this.#party.client_id,
        client_secret: this.#party.client_secret,
        OrganisationId: this.#party.organisation_id,
        CredentialTemplateName: type,
        SerialNumber: serialNumber,
        RevocationReason: "Issued in error",
      }),
    });
    if (response.status !== 204) throw new Error(`revocation answered ${response.status}: ${await response.text()}`);
  }
}

/** What a credential is to say, signed with the key that client and gateway share, or with the client's own. */
export function signDraft(party, audience, claims, own, lifetime = "5m") {
  return new SignJWT(claims)
    .setProtectedHeader(own ? { alg: "ES256", typ: "JWT", kid: own.kid } : { alg: "HS256", typ: "JWT" })
    .setIssuer(party.client_id)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(own?.key ?? Buffer.from(party.signing_key, "base64"));
}

/** The key that the sandbox gave a client, named as the gateway names it: by its thumbprint. */
async function ownKey(pem) {
  const key = await importPKCS8(pem, "ES256", { extractable: true });
  const { kty, crv, x, y } = await exportJWK(key);
  return { key, kid: await calculateJwkThumbprint({ kty, crv, x, y }) };
}
