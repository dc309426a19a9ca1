// What a relying party that only knows OpenID Connect does with the gateway: `openid-client` checks state, nonce,
// issuer, PKCE and the ID token's signature; the sandbox's wallet plays the employee.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { test } from "node:test";

import { among, programme } from "../lib/programme.mjs";
import { RelyingParty } from "../lib/relying-party.mjs";
import { credentials, scan } from "../lib/sandbox-wallet.mjs";

const PROGRAMME = "TrainingProgramme";

/** The kinds of client that `openid-client` can be, and how each asks for an issue. */
const CLIENTS = [
  { dialect: "plain", algorithm: "ES256" },
  { dialect: "plain, by post", algorithm: "ES256" },
  { dialect: "plain, with its own key", algorithm: "EdDSA" },
  { dialect: "v2", algorithm: "RS256" },
  { dialect: "v2, by the header", algorithm: "RS256" },
  { dialect: "v1-b", algorithm: "RS256", issue: { scope: `issue.${PROGRAMME}` } },
];

export function relyingParty(world) {
  for (const { dialect, algorithm, issue } of CLIENTS) {
    // DW-02, DW-37, DW-39.
    test(`a ${dialect} client verifies an identity`, async () => {
      const [client, employee] = [await RelyingParty.discover(world(), dialect), world().employee("match")];
      const journey = await client.verify("Identity");
      const scanned = await scan(world(), employee.holder, journey.page.href("open-wallet"));
      assert.equal(scanned.outcome, "presented", scanned.reason);

      const claims = await client.finish(journey);
      assert.equal(claims["Identity.UniqueIdentifier"], employee.unique_identifier);
      assert.equal(claims["Identity.ID-LegalSurname"], employee.surname);
      assert.equal(claims["Identity.ID-BirthDate"], employee.date_of_birth);
      assert.equal(client.algorithm, algorithm);
    });

    // DW-02, DW-58, DW-61.
    test(`a ${dialect} client issues a credential and hears its serial number`, async () => {
      const [client, employee] = [await RelyingParty.discover(world(), dialect), world().employee("match")];
      const journey = await client.issue(PROGRAMME, programme(employee), issue);
      const scanned = await scan(world(), employee.holder, journey.page.href("open-wallet"));
      assert.equal(scanned.outcome, "received", scanned.reason);

      const claims = await client.finish(journey);
      assert.equal(claims.SerialNumber, journey.serialNumber);
      assert.deepEqual(among(claims, programme(employee)), programme(employee));
      const held = await credentials(world(), employee.holder);
      assert.ok(held.some((one) => one.serial_number === journey.serialNumber), "the wallet holds it");
    });
  }

  for (const { dialect: kind } of CLIENTS) {
    test(`a client (${kind}) verifies without pushing its request`, async () => {
      const [client, employee] = [await RelyingParty.discover(world(), kind), world().employee("diacritics")];
      const journey = await client.verify("Identity", { push: false });
      const scanned = await scan(world(), employee.holder, journey.page.href("open-wallet"));
      assert.equal(scanned.outcome, "presented", scanned.reason);
      const claims = await client.finish(journey);
      assert.equal(claims["Identity.UniqueIdentifier"], employee.unique_identifier);
      // The library holds the answer's `sub` against the ID token's.
      if (client.metadata.userinfo_endpoint) assert.deepEqual(await client.userinfo(), { sub: claims.sub });
      assert.equal(Boolean(client.metadata.userinfo_endpoint), kind.startsWith("plain"));
    });
  }

  for (const kind of ["plain", "plain, by post", "plain, with its own key"]) {
    // DW-74.
    test(`a client (${kind}) revokes with a token of its own`, async () => {
      const [client, employee] = [await RelyingParty.discover(world(), kind), world().employee("match")];
      const journey = await client.issue(PROGRAMME, programme(employee));
      await scan(world(), employee.holder, journey.page.href("open-wallet"));
      await client.finish(journey);
      assert.equal(await client.revokeWithToken(PROGRAMME, journey.serialNumber), 204);
      assert.equal(await client.revokeWithToken(PROGRAMME, randomUUID()), 404);
      const refused = { name: "ResponseBodyError", error: "invalid_scope" };
      await assert.rejects(client.revokeWithToken(PROGRAMME, journey.serialNumber, "openid"), refused);
    });
  }

  // SEC-06, SEC-11.
  test("a client that signs in by another way than it is registered for hears invalid_client", async () => {
    const keyed = world().party("plain", true);
    const stranger = { ...keyed, client_secret: randomUUID() };
    const disguised = { ...world(), party: () => stranger };
    const client = await RelyingParty.discover(disguised, "plain, by post");
    await assert.rejects(client.verify("Identity"), { name: "ResponseBodyError", error: "invalid_client" });
  });

  // SEC-06, SEC-11: a secret that signs would have to be kept readable, and whoever proves nothing is nobody.
  for (const contract of ["plain", "v2"]) {
    test(`a ${contract} client that signs with its secret, or proves nothing, hears invalid_client from PAR and token`, async () => {
      const [client, employee] = [await RelyingParty.discover(world(), contract), world().employee("match")];
      const journey = await client.verify("Identity", { push: false });
      await scan(world(), employee.holder, journey.page.href("open-wallet"));
      const back = await journey.browser.back(journey.page.url);
      const refused = { name: "ResponseBodyError", error: "invalid_client" };
      for (const way of ["with a secret that signs", "without a proof"]) {
        const other = await RelyingParty.discover(world(), `${contract}, ${way}`);
        await assert.rejects(other.verify("Identity"), refused, way);
        await assert.rejects(other.redeem(back, journey.checks), refused, way);
      }
      await client.redeem(back, journey.checks);
    });
  }

  // SEC-06, SEC-11.
  test("a client that signs with another key than its own hears invalid_client", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const stranger = { ...world().party("plain", true), private_key: privateKey.export({ type: "pkcs8", format: "pem" }) };
    const disguised = { ...world(), party: () => stranger };
    const client = await RelyingParty.discover(disguised, "plain, with its own key");
    await assert.rejects(client.verify("Identity"), { name: "ResponseBodyError", error: "invalid_client" });
  });

  // SEC-05, SEC-28.
  test("a pushed request opens in one browser", async () => {
    const client = await RelyingParty.discover(world(), "plain");
    const { address, browser, page } = await client.verify("Identity");
    assert.equal(String((await browser.page(address)).url), String(page.url));
    const stranger = await world().fetch(address, { redirect: "manual" });
    assert.equal(stranger.headers.get("location"), null);
    assert.ok(stranger.status >= 400, `${stranger.status}`);
  });

  // SEC-09: what comes back carries enough for the library to know a foreign answer.
  test("an answer of another request, or of another issuer, is no answer", async () => {
    const [client, employee] = [await RelyingParty.discover(world(), "plain"), world().employee("match")];
    const journey = await client.verify("Identity");
    await scan(world(), employee.holder, journey.page.href("open-wallet"));
    const back = await journey.browser.back(journey.page.url);
    for (const [name, value] of [["state", "another"], ["iss", "https://elsewhere.example"], ["state"], ["iss"]]) {
      const foreign = new URL(back);
      if (value) foreign.searchParams.set(name, value);
      else foreign.searchParams.delete(name);
      await assert.rejects(client.redeem(foreign, journey.checks), { code: "OAUTH_INVALID_RESPONSE" }, name);
    }
    await client.redeem(back, journey.checks);
  });

  // DW-35.
  test("an employee who declines comes back as access_denied", async () => {
    const [client, employee] = [await RelyingParty.discover(world(), "plain"), world().employee("match")];
    const journey = await client.verify("Identity");
    const scanned = await scan(world(), employee.holder, journey.page.href("open-wallet"), false);
    assert.equal(scanned.outcome, "declined", scanned.reason);

    const ended = await journey.browser.page(journey.page.url);
    const refused = client.redeem(new URL(ended.href("go-back")), journey.checks);
    await assert.rejects(refused, { name: "AuthorizationResponseError", error: "access_denied" });
  });

  // DW-70.
  test("a draft off its schema is refused when it is pushed, with the field named", async () => {
    const [client, employee] = [await RelyingParty.discover(world(), "plain"), world().employee("match")];
    const draft = { ...programme(employee), "TPR-ProgrammeStartDate": "next week" };
    await assert.rejects(client.issue(PROGRAMME, draft), (error) => {
      assert.equal(error.name, "ResponseBodyError");
      assert.equal(error.error, "invalid_request");
      assert.match(error.error_description, /TPR-ProgrammeStartDate/);
      return true;
    });
  });

  // SEC-01, SEC-08, DW-65.
  test("a code works once, and only with its verifier", async () => {
    const [client, employee] = [await RelyingParty.discover(world(), "plain"), world().employee("match")];
    const came = async () => {
      const journey = await client.verify("Identity");
      await scan(world(), employee.holder, journey.page.href("open-wallet"));
      return { back: await journey.browser.back(journey.page.url), checks: journey.checks };
    };
    const refused = { name: "ResponseBodyError", error: "invalid_grant" };

    const { back, checks } = await came();
    await client.redeem(back, checks);
    await assert.rejects(client.redeem(back, checks), refused);

    const [first, second] = [await came(), await came()];
    const mixed = { ...first.checks, pkceCodeVerifier: second.checks.pkceCodeVerifier };
    await assert.rejects(client.redeem(first.back, mixed), refused);
  });
}
