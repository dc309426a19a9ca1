// `oauth2-mock-server` as an OpenID provider that lies in one way at a time; `PUT /corruption` names the way.
//
// The mock has no pushed requests and knows no client secrets, without which the connector does not speak to a
// provider at all. So a thin front takes pushed requests and completes the discovery document. Codes, PKCE, claims,
// keys and signatures are the mock's own.

import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { Events, OAuth2Server } from "oauth2-mock-server";
import { bodyOf, IDENTITY, listening, ready } from "./lib.mjs";

const KID = "the mock's key";
const HOUR = 3600;

const mock = new OAuth2Server();
const key = await mock.issuer.keys.generate("RS256", { kid: KID });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
const { server, issuer } = await listening();
mock.issuer.url = issuer;

const now = () => Math.floor(Date.now() / 1000);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));

/** What the mock signs in good faith, and should not say. */
const SIGNED = {
  "kid: unknown": ({ header }) => (header.kid = "nobody's key"),
  "kid: none": ({ header }) => delete header.kid,
  "typ: at+jwt": ({ header }) => (header.typ = "at+jwt"),
  "iss: other": ({ payload }) => (payload.iss = "https://other.example"),
  "iss: with a slash": ({ payload }) => (payload.iss += "/"),
  "iss: none": ({ payload }) => delete payload.iss,
  "aud: other": ({ payload }) => (payload.aud = "another-portal"),
  "aud: others too": ({ payload }) => (payload.aud = [payload.aud, "another-portal"]),
  "aud: none": ({ payload }) => delete payload.aud,
  "azp: other": ({ payload }) => (payload.azp = "another-portal"),
  "exp: past": ({ payload }) => (payload.exp = now() - 120),
  "exp: none": ({ payload }) => delete payload.exp,
  "exp: a text": ({ payload }) => (payload.exp = "tomorrow"),
  "iat: far future": ({ payload }) => (payload.iat = now() + 24 * HOUR),
  "iat: yesterday": ({ payload }) => (payload.iat = now() - 24 * HOUR),
  "iat: none": ({ payload }) => delete payload.iat,
  "nbf: future": ({ payload }) => (payload.nbf = now() + HOUR),
  "nonce: other": ({ payload }) => (payload.nonce = randomUUID()),
  "nonce: none": ({ payload }) => delete payload.nonce,
  "sub: none": ({ payload }) => delete payload.sub,
  "identity: none": ({ payload }) => Object.keys(IDENTITY).forEach((name) => delete payload[name]),
};

function hmacSigned(token, secret) {
  const [header, payload] = token.split(".");
  const signed = `${encoded({ ...decoded(header), alg: "HS256" })}.${payload}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

function signedByStranger(token, more = {}) {
  const [header, payload] = token.split(".");
  const signed = `${encoded({ ...decoded(header), ...more })}.${payload}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), stranger.privateKey).toString("base64url")}`;
}

/** What happens to the ID token after the mock signed it. */
const TAMPERED = {
  "signature: flipped": (token) => {
    const [header, payload, signature] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes[0] ^= 1;
    return [header, payload, bytes.toString("base64url")].join(".");
  },
  "signature: empty": (token) => token.slice(0, token.lastIndexOf(".") + 1),
  "signature: cut off": (token) => token.slice(0, token.lastIndexOf(".")),
  "payload: changed": (token) => {
    const [header, payload, signature] = token.split(".");
    const claims = { ...decoded(payload), "Identity.ID-LegalSurname": "Mallory" };
    return [header, encoded(claims), signature].join(".");
  },
  "alg: none": (token) => {
    const [header, payload] = token.split(".");
    return `${encoded({ ...decoded(header), alg: "none" })}.${payload}.`;
  },
  "alg: HS256 with the public key's PEM": (token) => {
    const pem = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
    return hmacSigned(token, pem);
  },
  "alg: HS256 with the public key's JWK": (token) =>
    hmacSigned(token, JSON.stringify(mock.issuer.keys.toJSON()[0])),
  "key: another one under the same kid": (token) => signedByStranger(token),
  "key: another one inside the header": (token) =>
    signedByStranger(token, { jwk: stranger.publicKey.export({ format: "jwk" }) }),
  "token: no JWT": () => "not.a-jwt",
  "token: empty": () => "",
  "token: a number": () => 7,
  "token: none": () => undefined,
};

/** What happens to the token endpoint's answer as a whole. */
const ANSWERED = {
  "answer: 500": (response, status, body) => response.writeHead(500).end(body),
  "answer: empty": (response) => response.writeHead(200).end(),
  "answer: truncated JSON": (response, status, body) =>
    response.writeHead(status).end(body.slice(0, body.length / 2)),
  "answer: broken off": (response, status, body) => {
    response.writeHead(status, { "Content-Length": body.length });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  },
  "answer: hanging": () => {},
  "answer: hanging half-way": (response, status, body) =>
    response.writeHead(status).write(body.slice(0, body.length / 2)),
  "answer: oversized": (response, status, body) =>
    response.writeHead(status).end(JSON.stringify({ padding: "x".repeat(8 << 20), ...JSON.parse(body) })),
  "answer: a redirect": (response) => response.writeHead(307, { Location: `${issuer}/jwks` }).end(),
};

/** What happens to the address that the browser is sent back to. */
const RETURNED = {
  "callback: another state": (url) => url.searchParams.set("state", randomUUID()),
  "callback: another issuer": (url) => url.searchParams.set("iss", "https://other.example"),
  "callback: another code": (url) => url.searchParams.set("code", randomUUID()),
};

/** What the discovery document says. */
const DISCOVERED = {
  "discovery: no pushed requests": (body) => delete body.pushed_authorization_request_endpoint,
  "discovery: no client secrets": (body) => (body.token_endpoint_auth_methods_supported = ["none"]),
  "discovery: token endpoint in clear text": (body) => (body.token_endpoint = "http://other.example/token"),
  "discovery: another issuer": (body) => (body.issuer = "https://other.example"),
};

const CORRUPTIONS = { ...SIGNED, ...TAMPERED, ...ANSWERED, ...RETURNED, ...DISCOVERED };
let corruption = "nothing";

mock.service.on(Events.BeforeWellKnownOpenIdConfiguration, ({ body }) => {
  body.pushed_authorization_request_endpoint = `${issuer}/par`;
  body.token_endpoint_auth_methods_supported = ["client_secret_basic", "client_secret_post"];
  DISCOVERED[corruption]?.(body);
});
// One request has two tokens signed: the access token first, then the ID token, which is the one to spoil.
const accessTokenSigned = new WeakSet();
mock.service.on(Events.BeforeTokenSigning, (token, request) => {
  if (!accessTokenSigned.has(request)) return accessTokenSigned.add(request);
  Object.assign(token.payload, IDENTITY);
  SIGNED[corruption]?.(token);
});
mock.service.on(Events.BeforeResponse, ({ body }) => {
  if (body.id_token && corruption in TAMPERED) body.id_token = TAMPERED[corruption](body.id_token);
});
mock.service.on(Events.BeforeAuthorizeRedirect, ({ url }) => RETURNED[corruption]?.(url));

/** Lets the mock write its answer, and hands on another. */
function spoil(response, answer) {
  response.end = (body) => {
    delete response.end;
    response.removeHeader("Content-Length");
    answer(response, response.statusCode, body);
  };
}

const pushed = new Map();
server.on("request", async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (pathname === "/corruption") {
    corruption = await bodyOf(request);
    return response.writeHead(corruption === "nothing" || corruption in CORRUPTIONS ? 204 : 404).end();
  }
  if (pathname === "/par") {
    const request_uri = `urn:ietf:params:oauth:request_uri:${randomUUID()}`;
    pushed.set(request_uri, await bodyOf(request));
    response.writeHead(201, { "Content-Type": "application/json" });
    return response.end(JSON.stringify({ request_uri, expires_in: 60 }));
  }
  if (pathname === "/authorize") {
    const request_uri = searchParams.get("request_uri");
    request.url = `/authorize?${pushed.get(request_uri) ?? searchParams}`;
    pushed.delete(request_uri);
  }
  if (pathname === "/token" && corruption in ANSWERED) spoil(response, ANSWERED[corruption]);
  mock.service.requestHandler(request, response);
});
ready(issuer);
