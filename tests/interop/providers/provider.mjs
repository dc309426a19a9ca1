// `oidc-provider` as a gateway: pushed requests and PKCE are required, and it logs in and consents by itself.
//
// `AUTH_METHOD` is the one way to show the client secret that it announces; `CLIENT_ID`, `CLIENT_SECRET` and
// `REDIRECT_URI` are the relying party's. There is a client for each algorithm, `CLIENT_ID-ALGORITHM`, and one without
// a suffix that has the default.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Provider } from "oidc-provider";
import { IDENTITY, listening, ready } from "./lib.mjs";

const { AUTH_METHOD, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

function key(kid, kind, options) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), use: "sig", kid };
}

const client = {
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  redirect_uris: [REDIRECT_URI],
  response_types: ["code"],
  grant_types: ["authorization_code"],
  token_endpoint_auth_method: AUTH_METHOD,
};

const { server, issuer } = await listening();
const provider = new Provider(issuer, {
  clients: [
    client,
    ...ALGORITHMS.map((algorithm) => ({
      ...client,
      client_id: `${CLIENT_ID}-${algorithm}`,
      id_token_signed_response_alg: algorithm,
    })),
  ],
  clientAuthMethods: [AUTH_METHOD],
  enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
  jwks: {
    keys: [
      key("rsa", "rsa", { modulusLength: 2048 }),
      key("ec", "ec", { namedCurve: "P-256" }),
      key("ed", "ed25519"),
    ],
  },
  cookies: { keys: [randomBytes(32).toString("base64url")] },
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  },
  pkce: { required: () => true },
  // The gateway puts what it vouches for into the ID token; `oidc-provider` would keep it for the userinfo endpoint.
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], Identity: Object.keys(IDENTITY) },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...IDENTITY }) }),
  async loadExistingGrant({ oidc: { client: asking, provider: own, session } }) {
    const grant = new own.Grant({ clientId: asking.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid Identity");
    await grant.save();
    return grant;
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

const callback = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return callback(request, response);
  const login = { accountId: "holder-1" };
  provider.interactionFinished(request, response, { login }).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
ready(issuer);
