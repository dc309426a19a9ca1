// A wallet that shares no code with ours: OpenID4VCI and OpenID4VP by `@openid4vc`, SD-JWT by `@sd-jwt`, DCQL by
// `dcql`, signatures and encryption by `jose`. What is its own here is the storage and the order of the steps.

import { createHash, randomBytes } from "node:crypto";
import { clientAuthenticationAnonymous } from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { DcqlQuery } from "dcql";
import { CompactEncrypt, SignJWT, base64url, exportJWK, generateKeyPair, importJWK } from "jose";

import { readJwtVc, readSdJwtVc, sdJwtVc } from "./credential.mjs";
import { isSignedBy, keyOfDid } from "./keys.mjs";

/** What this wallet can encrypt an answer with. */
const ENCRYPTION = {
  authorization_signing_alg_values_supported: [],
  authorization_encryption_alg_values_supported: ["ECDH-ES"],
  authorization_encryption_enc_values_supported: ["A256GCM", "A128GCM"],
};

export class Wallet {
  #world;
  #key;
  #jwk;
  #did;
  #issuers;
  #verifiers;
  held = [];

  static async create(world) {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    return new Wallet(world, privateKey, await exportJWK(publicKey));
  }

  constructor(world, key, jwk) {
    this.#world = world;
    this.#key = key;
    this.#jwk = jwk;
    this.#did = `did:jwk:${base64url.encode(JSON.stringify(jwk))}`;
    const callbacks = {
      fetch: world.fetch,
      hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
      generateRandom: (length) => randomBytes(length),
      clientAuthentication: clientAuthenticationAnonymous(),
      signJwt: async (_signer, { header, payload }) => ({ jwt: await this.#sign(header, payload), signerJwk: jwk }),
      verifyJwt: (signer, { header, compact }) => this.#verify(signer, header, compact),
      encryptJwe: (encryptor, text) => encrypt(encryptor, text),
      decryptJwe: () => ({ decrypted: false }),
    };
    this.#issuers = new Openid4vciClient({ callbacks });
    this.#verifiers = new Openid4vpClient({ callbacks });
  }

  /**
   * Takes the offer behind a link, in one format, with the key named by value (`jwk`) or as a DID (`did`).
   * The credential is verified like any stranger's before it is kept; then the issuer is notified.
   */
  async receive(link, { format, naming = "jwk", event = "credential_accepted" }) {
    const credentialOffer = await this.#issuers.resolveCredentialOffer(await this.#standardLink(link));
    const issuerMetadata = await this.#issuers.resolveIssuerMetadata(credentialOffer.credential_issuer);
    const configurations = issuerMetadata.credentialIssuer.credential_configurations_supported;
    const id = credentialOffer.credential_configuration_ids.find((one) => configurations[one]?.format === format);
    if (!id) throw new Error(`nothing is offered as ${format}: ${credentialOffer.credential_configuration_ids}`);

    const { accessTokenResponse } = await this.#issuers.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata });
    const accessToken = accessTokenResponse.access_token;
    const { c_nonce: nonce } = await this.#issuers.requestNonce({ issuerMetadata });
    const named = naming === "did" ? { didUrl: `${this.#did}#0` } : { publicJwk: this.#jwk };
    const { jwt } = await this.#issuers.createCredentialRequestJwtProof({
      issuerMetadata,
      credentialConfigurationId: id,
      nonce,
      issuedAt: new Date(),
      signer: { method: naming, alg: "ES256", ...named },
    });
    const { credentialResponse } = await this.#issuers.retrieveCredentials({
      issuerMetadata,
      accessToken,
      credentialConfigurationId: id,
      proofs: { jwt: [jwt] },
    });

    const [{ credential: text }] = credentialResponse.credentials;
    const credential = await this.read(text, format);
    if (event === "credential_accepted") this.held.push(credential);
    await this.#issuers.sendNotification({
      issuerMetadata,
      accessToken,
      notification: { notificationId: credentialResponse.notification_id, event },
    });
    return { ...credential, offered: credentialOffer.credential_configuration_ids, described: configurations[id] };
  }

  /** Verifies a credential and that it is bound to this wallet's key; throws if its status is not valid. */
  async read(text, format) {
    const read = format === "jwt_vc_json" ? readJwtVc : readSdJwtVc;
    return read(this.#world, text, this.#jwk);
  }

  /** Reads the signed request behind a link and what of this wallet's fits it. */
  async open(link) {
    const parsed = this.#verifiers.parseOpenid4vpAuthorizationRequest({ authorizationRequest: await this.#standardLink(link) });
    const request = await this.#verifiers.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
    const query = DcqlQuery.parse(request.dcql.query);
    DcqlQuery.validate(query);
    const result = DcqlQuery.query(query, this.held.map((one) => one.candidate));
    return { request, query, result };
  }

  /** Presents what fits to the verifier behind a link. Answers the verifier's answer. */
  async present(link) {
    const { request, query, result } = await this.open(link);
    if (!result.can_be_satisfied) throw new Error("this wallet holds nothing that fits");
    const { id } = query.credentials.find((one) => result.credential_matches[one.id].success);
    const [match] = result.credential_matches[id].valid_credentials;
    const held = this.held[match.input_credential_index];
    const presentation = await this.#bind(held, match.claims, request.authorizationRequestPayload);
    return this.#submit(request, { vp_token: { [id]: [presentation] } });
  }

  /** Tells the verifier that the holder does not want to, encrypted as asked for or in the clear. */
  async decline(link, { encrypted }) {
    const { request } = await this.open(link);
    return this.#submit(request, { error: "access_denied" }, encrypted);
  }

  async #submit({ authorizationRequestPayload }, authorizationResponsePayload, encrypted = true) {
    const created = encrypted
      ? await this.#verifiers.createOpenid4vpAuthorizationResponse({
          authorizationRequestPayload,
          authorizationResponsePayload,
          jarm: { encryption: { nonce: base64url.encode(randomBytes(16)) }, serverMetadata: ENCRYPTION },
        })
      : { authorizationResponsePayload: { ...authorizationResponsePayload, state: authorizationRequestPayload.state } };
    const { response, responseMode } = await this.#verifiers.submitOpenid4vpAuthorizationResponse({
      authorizationRequestPayload,
      ...created,
    });
    return { responseMode, status: response.status, body: await response.json() };
  }

  /** Holder binding: the audience is the verifier's whole client identifier, the nonce the request's. */
  #bind(held, claims, { client_id: audience, nonce }) {
    const iat = Math.floor(Date.now() / 1000);
    if (held.format === "dc+sd-jwt") {
      const kbSigner = async (data) => {
        const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.#key, Buffer.from(data));
        return base64url.encode(new Uint8Array(signature));
      };
      const frame = Object.fromEntries(Object.keys(claims.valid_claim_sets[0].output).map((name) => [name, true]));
      return sdJwtVc({ kbSigner, kbSignAlg: "ES256" }).present(held.text, frame, { kb: { payload: { iat, aud: audience, nonce } } });
    }
    const holder = held.subject;
    const vp = {
      "@context": ["https://www.w3.org/2018/credentials/v1"],
      type: ["VerifiablePresentation"],
      holder,
      verifiableCredential: [held.text],
    };
    const payload = { iss: holder, aud: audience, nonce, iat, nbf: iat, exp: iat + 120, vp };
    return this.#sign({ alg: "ES256", typ: "JWT", kid: `${holder}#0` }, payload);
  }

  #sign(header, payload) {
    return new SignJWT(payload).setProtectedHeader(header).sign(this.#key);
  }

  /** Whom the library names as signer must have signed. */
  async #verify(signer, header, compact) {
    if (signer.method !== "did") return { verified: false };
    const jwk = await keyOfDid(this.#world, signer.didUrl, "authentication");
    return (await isSignedBy(jwk, compact, header.alg)) ? { verified: true, signerJwk: jwk } : { verified: false };
  }

  /** The standard's own link: a short one leads there by its `Location`. */
  async #standardLink(link) {
    if (!/^https?:/.test(link)) return link;
    const response = await this.#world.fetch(link, { redirect: "manual" });
    const location = response.headers.get("location");
    if (response.status !== 303 || !location) throw new Error(`${link} answered ${response.status} and leads nowhere`);
    return location;
  }
}

async function encrypt({ publicJwk, alg, enc, apu, apv }, text) {
  const bytes = (part) => (part === undefined ? undefined : base64url.decode(part));
  const jwe = await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg, enc, kid: publicJwk.kid })
    .setKeyManagementParameters({ apu: bytes(apu), apv: bytes(apv) })
    .encrypt(await importJWK(publicJwk, alg));
  return { jwe, encryptionJwk: publicJwk };
}

