// What a wallet that shares no code with ours does with the gateway: it receives a credential, verifies it like a
// stranger's, and presents it. `openid-client` is the relying party on the other side.

import assert from "node:assert/strict";
import { test } from "node:test";

import { among, programme } from "../lib/programme.mjs";
import { RelyingParty } from "../lib/relying-party.mjs";
import { Wallet } from "../lib/wallet.mjs";

const PROGRAMME = "TrainingProgramme";

/** Every format, each with one way of naming the holder's key. */
const KINDS = [
  { format: "jwt_vc_json", naming: "did" },
  { format: "jwt_vc_json", naming: "jwk" },
  { format: "dc+sd-jwt", naming: "jwk" },
  { format: "dc+sd-jwt", naming: "did" },
];

export function wallet(world) {
  /** A new wallet with a fresh credential in it. */
  const withProgramme = async (kind) => {
    const [party, holder] = [await RelyingParty.discover(world(), "plain"), await Wallet.create(world())];
    const draft = programme(world().employee("match"));
    const journey = await party.issue(PROGRAMME, draft);
    const credential = await holder.receive(journey.page.href("open-wallet"), kind);
    const claims = await party.finish(journey);
    return { party, holder, draft, credential, claims, serialNumber: journey.serialNumber };
  };

  for (const kind of KINDS) {
    // DW-03, DW-35, DW-58, VP-08, VP-13.
    test(`a ${kind.format} credential for a key named by ${kind.naming} is received and presented`, async () => {
      const { party, holder, draft, credential, claims, serialNumber } = await withProgramme(kind);
      assert.equal(claims.SerialNumber, serialNumber);
      assert.equal(credential.open.jti, `urn:uuid:${serialNumber}`);
      assert.deepEqual(among(credential.claims, draft), draft);
      assert.equal(credential.described.credential_metadata.display[0].name, "Training programme");

      const journey = await party.verify(PROGRAMME);
      const answer = await holder.present(journey.page.href("open-wallet"));
      assert.deepEqual(answer, { responseMode: "direct_post.jwt", status: 200, body: {} });
      const presented = await party.finish(journey);
      assert.deepEqual(among(presented, draft, `${PROGRAMME}.`), draft);
    });
  }

  test("every attribute of an SD-JWT VC is the holder's to show, and its type has public metadata", async () => {
    const { credential, draft } = await withProgramme({ format: "dc+sd-jwt" });
    assert.equal(credential.hidden, Object.keys(draft).length);
    for (const name of Object.keys(draft)) assert.ok(!(name in credential.open), name);
    const { mergedTypeMetadata: type } = credential.typeMetadata;
    assert.deepEqual(new Set(type.claims.map(({ path: [name] }) => name)), new Set(Object.keys(draft)));
  });

  // VP-09, HA-06.
  test("on the browser's own device the wallet leads back to the browser that began", async () => {
    const { party, holder, draft } = await withProgramme({ format: "dc+sd-jwt" });
    const journey = await party.verify(PROGRAMME);
    const { status, body } = await holder.present(journey.page.href("open-wallet-here"));
    assert.equal(status, 200);

    const waiting = await journey.browser.page(journey.page.url);
    assert.equal(waiting.status, 200, "without the response code nothing is released");
    const back = await journey.browser.back(body.redirect_uri);
    const claims = await party.redeem(back, journey.checks);
    assert.equal(claims[`${PROGRAMME}.UniqueIdentifier`], draft.UniqueIdentifier);
  });

  for (const [how, encrypted] of [["encrypted", true], ["in the clear", false]]) {
    // VP-14.
    test(`a holder's no that comes ${how} is heard as access_denied`, async () => {
      const [party, holder] = [await RelyingParty.discover(world(), "plain"), await Wallet.create(world())];
      const journey = await party.verify(PROGRAMME);
      const { status } = await holder.decline(journey.page.href("open-wallet"), { encrypted });
      assert.equal(status, 200);

      const ended = await journey.browser.page(journey.page.url);
      const refused = party.redeem(new URL(ended.href("go-back")), journey.checks);
      await assert.rejects(refused, { name: "AuthorizationResponseError", error: "access_denied" });
    });
  }

  test("a wallet without such a credential finds nothing that fits", async () => {
    const { party, holder } = await withProgramme({ format: "jwt_vc_json" });
    const journey = await party.verify("Identity");
    const { result } = await holder.open(journey.page.href("open-wallet"));
    assert.equal(result.can_be_satisfied, false);
  });

  // DW-59, VCI-19.
  test("a credential that the wallet throws away is revoked and the relying party hears so", async () => {
    const [party, holder] = [await RelyingParty.discover(world(), "plain"), await Wallet.create(world())];
    const journey = await party.issue(PROGRAMME, programme(world().employee("match")));
    const kind = { format: "dc+sd-jwt", event: "credential_deleted" };
    const { text, format } = await holder.receive(journey.page.href("open-wallet"), kind);

    const ended = await journey.browser.page(journey.page.url);
    const refused = party.redeem(new URL(ended.href("go-back")), journey.checks);
    await assert.rejects(refused, (error) => error.error === "access_denied" && error.error_description.startsWith("user cancelled"));
    await assert.rejects(holder.read(text, format), /[Ss]tatus is not valid/);
  });

  for (const { format } of KINDS.filter(({ naming }) => naming === "jwk")) {
    // DW-36, TS-02.
    test(`a revoked ${format} credential is seen as such by a stranger and refused by the gateway`, async () => {
      const { party, holder, credential, serialNumber } = await withProgramme({ format });
      await party.revoke(PROGRAMME, serialNumber);
      await assert.rejects(holder.read(credential.text, format), /[Ss]tatus is not valid/);

      const journey = await party.verify(PROGRAMME);
      const { status, body } = await holder.present(journey.page.href("open-wallet"));
      assert.equal(status, 400, JSON.stringify(body));
      const ended = await journey.browser.page(journey.page.url);
      const refused = party.redeem(new URL(ended.href("go-back")), journey.checks);
      await assert.rejects(refused, { name: "AuthorizationResponseError" });
    });
  }
}
