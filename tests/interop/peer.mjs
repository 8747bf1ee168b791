// A small server made with Fedify, with which Boxroom has to get along: `node peer.mjs PORT DIALECT`.
//
// It signs first in DIALECT ("cavage" or "rfc9421"), and takes no mail that is signed in another. Everybody lives here
// whose name is asked for. Tests have it do things by POST /do/NAME, and read what it sent and received.

import { createServer } from "node:http";

import {
  createFederation,
  generateCryptoKeyPair,
  InProcessMessageQueue,
  MemoryKvStore,
  verifyObject,
  verifyProof,
  verifyRequestDetailed,
} from "@fedify/fedify";
import * as vocab from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const [port, dialect] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const SPECS = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };

const sent = []; // every request that was made: { method, url, dialect, body, status }
const received = []; // every POST to an inbox: { activity, dialect, signer, refused, status }
const understood = []; // what Fedify made of each activity that it accepted
const keys = new Map(); // by the name of who lives here
const followers = new Map(); // likewise: a map from an actor's id to the actor
const following = new Map(); // likewise: a set of the ids of actors that accepted to be followed
const notes = new Map(); // by id

const of = (map, name, fresh) => map.get(name) ?? map.set(name, fresh()).get(name);
const dialectOf = ({ headers }) =>
  headers.has("signature-input") ? "rfc9421" : headers.has("signature") ? "cavage" : null;

// --- The network --------------------------------------------------------------------------------------------------

const network = globalThis.fetch;

globalThis.fetch = async (resource, options) => {
  // Fedify looks for names over https alone; on loopback nobody has a certificate.
  const plain = resource instanceof Request ? resource : String(resource).replace(/^https:\/\/127\./, "http://127.");
  const request = new Request(plain, options);
  const { method, url } = request;
  const body = method === "POST" ? JSON.parse(await request.clone().text()) : null;
  const response = await network(request);
  sent.push({ method, url, dialect: dialectOf(request), body, status: response.status });
  return response;
};

// --- Who lives here, and what they take in ------------------------------------------------------------------------

const [kv, queue] = [new MemoryKvStore(), new InProcessMessageQueue()];
const federation = createFederation({ kv, queue, allowPrivateAddress: true, firstKnock: SPECS[dialect] });
const context = federation.createContext(new URL(origin));
const loaders = { documentLoader: context.documentLoader, contextLoader: context.contextLoader };

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, name) => {
    const pairs = await ctx.getActorKeyPairs(name);
    return new vocab.Person({
      id: ctx.getActorUri(name),
      preferredUsername: name,
      name: `${name} on Fedify`,
      url: ctx.getActorUri(name),
      inbox: ctx.getInboxUri(name),
      endpoints: new vocab.Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(name),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher((_, name) =>
    of(keys, name, () => Promise.all(["RSASSA-PKCS1-v1_5", "Ed25519"].map(generateCryptoKeyPair))),
  );

federation.setFollowersDispatcher("/users/{identifier}/followers", (_, name) => ({
  items: [...of(followers, name, () => new Map()).values()],
}));

federation.setObjectDispatcher(vocab.Note, "/notes/{id}", (ctx, values) =>
  notes.get(ctx.getObjectUri(vocab.Note, values).href) ?? null,
);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(vocab.Activity, (ctx, activity) => keep(activity))
  .on(vocab.Follow, async (ctx, follow) => {
    const name = ctx.parseUri(follow.objectId).identifier;
    const follower = await follow.getActor(ctx);
    of(followers, name, () => new Map()).set(follower.id.href, follower);
    const id = new URL(`/accepts/${crypto.randomUUID()}`, origin);
    const accept = new vocab.Accept({ id, actor: follow.objectId, object: follow });
    await ctx.sendActivity({ identifier: name }, follower, accept);
    await keep(follow);
  })
  .on(vocab.Accept, async (ctx, accept) => {
    const follow = sent.find(({ body }) => body?.type === "Follow" && body.id === accept.objectId?.href);
    if (follow && follow.body.object === accept.actorId.href) {
      const { identifier } = ctx.parseUri(new URL(follow.body.actor));
      of(following, identifier, () => new Set()).add(accept.actorId.href);
    }
    await keep(accept);
  })
  .on(vocab.Undo, async (ctx, undo) => {
    const undone = await undo.getObject(ctx);
    if (undone instanceof vocab.Follow && undone.actorId.href === undo.actorId.href) {
      of(followers, ctx.parseUri(undone.objectId).identifier, () => new Map()).delete(undo.actorId.href);
    }
    await keep(undo);
  })
  .onError((_, error) => console.error(error));

async function keep(activity) {
  understood.push({
    ...(await described(activity)),
    actor: activity.actorId?.href,
    object: (await described(await activity.getObject({ ...loaders, suppressError: true }))) ?? activity.objectId?.href,
    result: await described(await activity.getResult({ ...loaders, suppressError: true })),
  });
}

// The properties of a thing that tests look at, as Fedify's own classes give them.
async function described(thing) {
  if (!thing) return null;
  const tags = thing.getTags ? await Array.fromAsync(thing.getTags(loaders)) : [];
  return {
    type: thing.constructor.name,
    id: thing.id?.href,
    name: thing.name?.toString(),
    handle: thing.preferredUsername?.toString(),
    content: thing.content?.toString(),
    author: thing.attributionId?.href,
    replyTo: thing.replyTargetId?.href,
    tags: tags.map((tag) => `${tag.constructor.name} ${tag.name}`),
    satisfies: thing.stipulates?.satisfies?.href,
    quantity: thing.stipulates?.resourceQuantity?.numericalValue,
  };
}

// --- What tests have it do ----------------------------------------------------------------------------------------

const addressed = (to) => ({ to: vocab.PUBLIC_COLLECTION, cc: to });
async function send(name, to, Kind, values) {
  const id = new URL(`/activities/${crypto.randomUUID()}`, origin);
  const activity = new Kind({ id, actor: context.getActorUri(name), ...values });
  await context.sendActivity({ identifier: name }, to, activity);
  return id.href;
}

const actions = {
  sent: () => sent,
  received: () => received,
  understood: () => understood,
  followers: ({ name }) => [...of(followers, name, () => new Map()).keys()],
  following: ({ name }) => [...of(following, name, () => new Set())],

  async follow({ name, whom }) {
    const actor = await context.lookupObject(whom);
    return send(name, actor, vocab.Follow, { object: actor.id });
  },
  async unfollow({ name, whom, follow }) {
    const actor = await context.lookupObject(whom);
    const object = new vocab.Follow({ id: new URL(follow), actor: context.getActorUri(name), object: actor.id });
    return send(name, actor, vocab.Undo, { object });
  },
  async say({ name, content, to, replyTo }) {
    const id = context.getObjectUri(vocab.Note, { id: crypto.randomUUID() });
    const actor = await context.lookupObject(to);
    const mention = new vocab.Mention({ href: actor.id, name: await vocab.getActorHandle(actor) });
    const note = new vocab.Note({
      id,
      attribution: context.getActorUri(name),
      content,
      published: Temporal.Now.instant(),
      replyTarget: replyTo && new URL(replyTo),
      tags: [mention],
      ...addressed(actor.id),
    });
    notes.set(id.href, note);
    await send(name, actor, vocab.Create, { object: note, ...addressed(actor.id) });
    return id.href;
  },
  async edit({ name, id, content, to }) {
    const note = notes.get(id).clone({ content, updated: Temporal.Now.instant() });
    notes.set(id, note);
    return send(name, await context.lookupObject(to), vocab.Update, { object: note, ...addressed(new URL(to)) });
  },
  async remove({ name, id, to }) {
    notes.delete(id);
    const object = new vocab.Tombstone({ id: new URL(id) });
    return send(name, await context.lookupObject(to), vocab.Delete, { object, ...addressed(new URL(to)) });
  },
  async respond({ name, to, satisfies, unit, content }) {
    const resourceQuantity = new vocab.Measure({ unit, numericalValue: "1" });
    const stipulates = new vocab.Commitment({ satisfies: new URL(satisfies), resourceQuantity });
    const object = new vocab.Agreement({ attribution: context.getActorUri(name), content, stipulates });
    const actor = await context.lookupObject(to);
    return send(name, actor, vocab.Offer, { object, to: actor.id });
  },

  // In somebody's name, or in nobody's.
  async lookup({ what, name }) {
    const documentLoader = name ? await context.getDocumentLoader({ identifier: name }) : context.documentLoader;
    return described(await context.lookupObject(what, { documentLoader }));
  },
  // The activity, if all its proofs hold and are by whom it names.
  async verify({ document }) {
    return described(await verifyObject(vocab.Activity, document, loaders));
  },
  // Who made the proof of a document of whatever type; null if it does not hold.
  async prover({ document }) {
    const proof = await vocab.DataIntegrityProof.fromJsonLd(document.proof, loaders);
    return (await verifyProof(document, proof, loaders))?.controllerId?.href ?? null;
  },
};

// --- The server ---------------------------------------------------------------------------------------------------

// An inbox that takes one dialect only, and writes down what Fedify says of each signature, proof or no proof.
async function takeIn(request) {
  const used = dialectOf(request);
  const entry = { activity: await request.clone().json(), dialect: used, signer: null, refused: null, status: 401 };
  received.push(entry);
  if (used !== dialect) return new Response(`This inbox takes ${dialect} only.`, { status: 401 });
  const found = await verifyRequestDetailed(request, loaders);
  entry.signer = found.verified ? found.key.ownerId.href : null;
  entry.refused = found.verified ? null : found.reason.type;
  const response = await federation.fetch(request, { contextData: undefined });
  entry.status = response.status;
  return response;
}

async function answer(request) {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/do/")) return Response.json(await actions[pathname.slice(4)](await request.json()));
  if (request.method === "POST" && pathname.endsWith("/inbox")) return takeIn(request);
  return federation.fetch(request, { contextData: undefined });
}

createServer(async (incoming, outgoing) => {
  const { method, headers } = incoming;
  const body = method === "POST" ? Buffer.concat(await Array.fromAsync(incoming)) : undefined;
  const request = new Request(new URL(incoming.url, origin), { method, headers, body });
  const response = await answer(request).catch((error) => new Response(error.stack, { status: 500 }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}).listen(Number(port), "127.0.0.1", () => console.log(`is served at ${origin}`));
