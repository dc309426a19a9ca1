// Every suite, against one sandbox that speaks this scheme.

import { after, before, describe } from "node:test";
import { setGlobalConfig } from "@openid4vc/oauth2";

import { startSandbox } from "../lib/sandbox.mjs";
import { authlib } from "./authlib.mjs";
import { description } from "./description.mjs";
import { relyingParty } from "./relying-party.mjs";
import { wallet } from "./wallet.mjs";

export function all(scheme) {
  describe(`over ${scheme}`, () => {
    let world;
    before(async () => {
      world = await startSandbox(scheme);
      // For the whole process: that is why each scheme has a file, and so a process, of its own.
      setGlobalConfig({ allowInsecureUrls: world.insecure });
    });
    after(() => world?.stop());
    describe("openid-client as relying party", () => relyingParty(() => world));
    describe("Authlib as relying party", () => authlib(() => world));
    // Certificates are no part of what is described.
    if (scheme === "http") describe("the description", () => description(() => world));
    describe("@openid4vc and @sd-jwt as wallet", () => wallet(() => world));
  });
}
