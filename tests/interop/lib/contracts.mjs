// What is true of each contract in one run: its client, and codes, pushed requests, drafts, tokens and credentials that
// the gateway would take.

import { createHash, randomBytes, randomUUID } from "node:crypto";

import { decodeJwt } from "jose";

import { Browser } from "./browser.mjs";
import { programme } from "./programme.mjs";
import { signDraft } from "./relying-party.mjs";
import { scan } from "./sandbox-wallet.mjs";

const PROGRAMME = "TrainingProgramme";
/** Where each client's endpoints are, where its discovery begins, and how it asks for an issue. */
const DOORS = {
  plain: { dialect: "plain", at: "", discovery: "", issue: `openid issue.${PROGRAMME}` },
  v2: { dialect: "v2", at: "/v2.0/oidc", discovery: "/v2.0", issue: `openid issue.${PROGRAMME}` },
  "v2 by its other address": { dialect: "v2", at: "/v2/oidc", discovery: "/v2.0", issue: `openid issue.${PROGRAMME}` },
  "v1-a": { dialect: "v1-a", at: "/oidc", discovery: "/oidc", issue: `issue.${PROGRAMME}` },
  "v1-b": { dialect: "v1-b", at: "/oidc", discovery: "/oidc", issue: `issue.${PROGRAMME}` },
};
/** One for all requests, so that any code of a contract can be redeemed with it. */
const VERIFIER = randomBytes(32).toString("base64url");
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
/** What an authorization request cannot do without. */
const REQUEST = ["response_type", "response_mode", "redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method"];
const CLIENT = ["client_id", "client_secret"];
/** How many there are of what works once. */
const SUPPLY = process.env.LANYARD_LONG ? 12 : 3;
/** Before every serial number. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

/**
 * For an address: the values of its parameters (`null` for one that is left out), those without which nothing succeeds,
 * its headers, and bodies that it takes as they are. What is not named stays free text.
 */
export const everyAddress = (world) => ofEachDoor(world, whatIsKnown);

/** The same for the token endpoints alone, when they are next: a code lives for a minute. */
export const everyTokenEndpoint = (world) => ofEachDoor(world, exchanges);

async function ofEachDoor(world, know) {
  const known = Object.entries(DOORS).map(async ([name, way]) => [name, await know(new Door(world, way))]);
  const all = Object.fromEntries(await Promise.all(known));
  return (path) => all[doorOf(path)](path);
}

function doorOf(path) {
  if (path.startsWith("/v2/")) return "v2 by its other address";
  if (path.startsWith("/v2.0")) return "v2";
  if (path === "/oidc/authorizev1") return "v1-a";
  return path.startsWith("/oidc") ? "v1-b" : "plain";
}

/** As many as that many. */
const many = (make) => Promise.all(Array.from({ length: SUPPLY }, make));

/** The first value of each. */
function firstOf(values) {
  const several = Object.entries(values).filter(([, value]) => Array.isArray(value));
  return Object.fromEntries(several.map(([name, [first]]) => [name, first]));
}

async function exchanges(door) {
  const values = {
    ...door.client,
    grant_type: ["authorization_code", "client_credentials"],
    scope: ["revocation"],
    code: await many(() => door.code()),
    code_verifier: [VERIFIER],
    redirect_uri: [door.party.redirect_uris.at(-1)],
  };
  const bodies = values.grant_type.map((grant_type) => ({ ...firstOf(values), grant_type }));
  return () => ({ values, needed: Object.keys(values), bodies });
}

async function whatIsKnown(door) {
  const { party, issue, client } = door;
  const draft = await door.draft();
  const pushed = await many(() => door.push({ scope: "openid Identity" }));
  const request = {
    ...client,
    response_type: ["code"],
    response_mode: ["query"],
    redirect_uri: party.redirect_uris,
    scope: ["openid Identity", issue],
    nonce: { minLength: 1 },
    code_challenge: [CHALLENGE],
    code_challenge_method: ["S256"],
    id_token_hint: [draft],
    prompt: ["login", "consent", "select_account login"],
    max_age: ["0", "86400"],
    claims: ["{}", '{"userinfo":{"sub":null}}'],
  };
  const serials = await Promise.all([door.issued(draft), door.issued(draft)]);
  const credential = {
    organisationid: [party.organisation_id],
    credentialtemplatename: [PROGRAMME],
    serialnumber: [...serials, randomUUID()],
  };
  const [used, bearer] = [await door.redeemed(), await door.token({ grant_type: "client_credentials", scope: "revocation" })];
  const authorization = ({ access_token }) => ({ Authorization: `Bearer ${access_token}` });
  const question = { request_uri: pushed, state: null, reference: null, before: null, serial_number: serials, in_force_after: [NOBODY], after: ["0", "1"] };
  return (path) => {
    const is = (name) => path.endsWith(`/${name}`);
    if (is("par")) {
      const toIssue = { ...firstOf(request), nonce: "nonce", scope: issue };
      const bodies = [toIssue, { ...toIssue, scope: "openid Identity", id_token_hint: undefined }];
      return { values: { ...request, request_uri: null }, needed: [...CLIENT, ...REQUEST], bodies };
    }
    if (path.includes("/authorize")) return { values: { ...request, request_uri: pushed }, needed: ["client_id", ...REQUEST] };
    if (is("userinfo")) return { values: { access_token: null }, needed: [], headers: authorization(used) };
    if (is("revoke")) return { values: credential, needed: Object.keys(credential), headers: authorization(bearer) };
    const bodies = is("outcomes") ? [{ ...firstOf(client), in_force_after: NOBODY }] : [];
    return { values: { ...client, ...credential, ...question }, needed: [...CLIENT, ...Object.keys(credential)], bodies };
  };
}

/** A contract's endpoints, as its client and an employee use them. */
class Door {
  constructor(world, { dialect, at, discovery, issue }) {
    const { gateway } = world.urls;
    Object.assign(this, { world, issue, base: gateway + at, discovery: gateway + discovery });
    Object.assign(this, { party: world.party(dialect), employee: world.employee("match") });
    const { client_id, client_secret } = this.party;
    this.client = { client_id: [client_id], client_secret: [client_secret], client_assertion: null, client_assertion_type: null };
  }

  async post(address, form) {
    const { client_id, client_secret } = this.party;
    const body = new URLSearchParams({ client_id, client_secret, ...form });
    const response = await this.world.fetch(address, { method: "POST", body });
    if (!response.ok) throw new Error(`${address} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  token(form) {
    return this.post(`${this.base}/token`, form);
  }

  async push(asked) {
    const request = {
      ...{ response_type: "code", response_mode: "query", redirect_uri: this.party.redirect_uris.at(-1) },
      ...{ state: "state", nonce: "nonce", code_challenge: CHALLENGE, code_challenge_method: "S256" },
    };
    const { request_uri } = await this.post(`${this.base}/par`, { ...request, ...asked });
    return request_uri;
  }

  /** Names no serial number and holds for long, so that it can be used again and again. */
  async draft() {
    const { issuer } = await (await this.world.fetch(`${this.discovery}/.well-known/openid-configuration`)).json();
    return signDraft(this.party, issuer, programme(this.employee), undefined, "2h");
  }

  /** An employee went through with it: the code. */
  async code(asked = { scope: "openid Identity" }) {
    const request_uri = await this.push(asked);
    const query = new URLSearchParams({ client_id: this.party.client_id, request_uri });
    const browser = new Browser(this.world.fetch);
    const page = await browser.page(`${this.base}/authorize?${query}`);
    await scan(this.world, this.employee.holder, page.href("open-wallet"));
    return (await browser.back(page.url)).searchParams.get("code");
  }

  async redeemed(asked) {
    const redirect_uri = this.party.redirect_uris.at(-1);
    return this.token({ grant_type: "authorization_code", code: await this.code(asked), code_verifier: VERIFIER, redirect_uri });
  }

  /** The serial number of a credential that the employee's wallet took. */
  async issued(draft) {
    const { id_token } = await this.redeemed({ scope: this.issue, id_token_hint: draft });
    const serialNumber = decodeJwt(id_token).SerialNumber;
    this.world.chose(serialNumber);
    return serialNumber;
  }
}
