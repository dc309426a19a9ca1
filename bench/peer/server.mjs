// A bare OpenID provider for `cargo xtask bench peer`: pushed requests, PKCE, and a login that asks nobody.
//
// It has no wallet to ask and no disk to write to; everything it remembers is in its memory adapter. A browser comes
// by three times: the authorization endpoint, the login (which is done at once), and the endpoint again. Settings that
// would only cost time are off: no log lines, no user info, no end of session.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { PORT, CLIENT_SECRET, REDIRECT_URI } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

function key(alg, kind, options) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg };
}

// One client for each algorithm, as our gateway has it.
const clients = ["RS256", "ES256"].map((alg) => ({
  client_id: `bench-${alg.toLowerCase()}`,
  client_secret: CLIENT_SECRET,
  redirect_uris: [REDIRECT_URI],
  response_types: ["code"],
  grant_types: ["authorization_code"],
  token_endpoint_auth_method: "client_secret_basic",
  id_token_signed_response_alg: alg,
}));

const provider = new Provider(issuer, {
  clients,
  jwks: {
    keys: [
      key("RS256", "rsa", { modulusLength: 2048 }),
      key("ES256", "ec", { namedCurve: "P-256" }),
    ],
  },
  cookies: { keys: [randomBytes(32).toString("base64url")] },
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
  },
  pkce: { required: () => true },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  // Consent is given before anybody could be asked: one round of interaction less.
  async loadExistingGrant({ oidc: { client, provider: own, session } }) {
    const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

const callback = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return callback(request, response);
  const login = { accountId: randomBytes(16).toString("hex") };
  provider.interactionFinished(request, response, { login }).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
// Kept alive as long as ours: a connection is never opened twice for one caller.
server.keepAliveTimeout = 60_000;
server.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
