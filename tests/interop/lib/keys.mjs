// Keys as others publish them: did:web documents and the key set of an SD-JWT VC issuer.

import { compactVerify, importJWK } from "jose";

/** Fetches JSON that must be there. */
export async function fetchJson(world, address) {
  const response = await world.fetch(address);
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.json();
}

/** The address of a did:web document, by the method's own rules; http only with the insecure switch. */
export function addressOfDid(world, did) {
  const [scheme, method, host, ...path] = did.split(":");
  if (scheme !== "did" || method !== "web") throw new Error(`${did} is not a did:web`);
  const folder = path.length > 0 ? path.map(decodeURIComponent).join("/") : ".well-known";
  return `${world.insecure ? "http" : "https"}://${decodeURIComponent(host)}/${folder}/did.json`;
}

/** The key that a DID URL names, if the document allows it for this purpose. */
export async function keyOfDid(world, didUrl, relationship) {
  const [did] = didUrl.split("#");
  const document = await fetchJson(world, addressOfDid(world, did));
  if (document.id !== did) throw new Error(`the document of ${did} is of ${document.id}`);
  const absolute = (id) => (id.startsWith("#") ? did + id : id);
  const allowed = document[relationship]?.some((one) => absolute(typeof one === "string" ? one : one.id) === didUrl);
  if (!allowed) throw new Error(`${didUrl} is not for ${relationship}`);
  const method = document.verificationMethod.find((one) => absolute(one.id) === didUrl);
  if (method?.controller !== did) throw new Error(`${didUrl} is not a key of ${did}`);
  return method.publicKeyJwk;
}

/** The key of an SD-JWT VC issuer by the metadata at its well-known address. */
export async function keyOfIssuer(world, issuer, kid) {
  const url = new URL(issuer);
  const metadata = await fetchJson(world, `${url.origin}/.well-known/jwt-vc-issuer${url.pathname}`);
  if (metadata.issuer !== issuer) throw new Error(`the keys of ${issuer} say that they are of ${metadata.issuer}`);
  const jwks = metadata.jwks ?? (await fetchJson(world, metadata.jwks_uri));
  const key = jwks.keys.find((one) => one.kid === kid);
  if (!key) throw new Error(`${issuer} has no key ${kid}`);
  return key;
}

/** Whether a compact JWS is signed with this key. */
export async function isSignedBy(jwk, compact, algorithm) {
  try {
    await compactVerify(compact, await importJWK(jwk, algorithm), { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}
