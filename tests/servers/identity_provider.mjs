// SPDX-License-Identifier: MPL-2.0
/**
 * An identity provider for tests that behaves as Microsoft Entra: npm `oidc-provider` on loopback over HTTPS.
 * Paths, parameters, token contents and error shapes are Entra's; what a test may order stands in
 * identity_provider/orders.mjs (settings and answers) and identity_provider/control_routes.mjs (actions).
 */
import { generateKeyPairSync } from "node:crypto";
import { readFile, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import Provider from "oidc-provider";
import { makeCertificates } from "./certificates.mjs";
import { control, introspect } from "./identity_provider/control_routes.mjs";
import { CLIENT_ID, Directory, GRAPH, OUTLOOK, TENANT_ID } from "./identity_provider/directory.mjs";
import { entraAnswers } from "./identity_provider/entra_answers.mjs";
import { front } from "./identity_provider/front.mjs";
import { Journal } from "./identity_provider/journal.mjs";
import { loginRoutes } from "./identity_provider/login_page.mjs";
import { Orders } from "./identity_provider/orders.mjs";
import { providerConfiguration } from "./identity_provider/provider_configuration.mjs";
import { adapterOver, Storage } from "./identity_provider/storage.mjs";
import { listenOnLoopback } from "./loopback.mjs";

/** The signing key outlives one run of the server in the same folder. @param {string} folder */
async function signingKeyIn(folder) {
  const file = join(folder, "signing_key.json");
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "test-signing-key" };
    await writeFile(file, JSON.stringify(key), { mode: 0o600 });
    return key;
  }
}

/**
 * @param {{ folder: string, certificates?: import('./certificates.mjs').Certificates, clientId?: string, tenant?: string,
 *           strictRotation?: boolean, lifetimes?: Partial<import('./identity_provider/orders.mjs').Lifetimes>, port?: number }} options
 *        `tenant` is what `idp.tenant` names (the GUID unless given); every name of the organisation works in a path
 */
export async function startIdentityProvider({
  folder, certificates: given, clientId = CLIENT_ID, tenant = TENANT_ID, strictRotation = false, lifetimes = {}, port: wantedPort = 0,
}) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const certificates = given ?? await makeCertificates({ folder: join(folder, "certificates") });
  const { cert, key } = certificates.server;
  const signingKey = await signingKeyIn(folder);
  const directory = new Directory();
  const orders = new Orders();
  orders.set({ strictRotation, lifetimes });
  const journal = new Journal();
  const storage = new Storage(directory, orders);

  /** @type {import('node:http').RequestListener} */
  let handler = (_request, response) => { response.writeHead(503).end(); };
  const makeServer = () => createServer({ cert, key, keepAliveTimeout: 60_000 }, (request, response) => handler(request, response));
  let { servers, port } = await listenOnLoopback(makeServer, wantedPort);
  const authority = `https://localhost:${port}`;

  const provider = new Provider(`${authority}/${TENANT_ID}/v2.0`, providerConfiguration({
    authority, clientId, directory, orders, adapter: adapterOver(storage), signingKey,
  }));
  /** @type {import('./identity_provider/control_routes.mjs').World} */
  const world = {
    authority, tenant: TENANT_ID, clientId, provider, signingKey, directory, orders, journal, storage,
    codeTenants: new Map(), sharedMailboxes: new Map(),
  };
  provider.use(entraAnswers(world));
  provider.use(loginRoutes(world));
  handler = front(world);

  const close = () => Promise.all(servers.map((server) => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  })));

  return {
    authority,
    port,
    tenant,
    clientId,
    certificates,
    caFile: certificates.caFile,
    outlookResource: OUTLOOK,
    graphResource: GRAPH,
    users: directory.users,
    /** Everything that a test may order. @param {Record<string, any>} change */
    control: (change) => control(world, change),
    counts: () => journal.counts(),
    requests: () => journal.requests,
    issued: () => journal.issued(),
    /** @param {Parameters<Journal['waitFor']>[0]} wanted */
    waitForRequest: (wanted) => journal.waitFor(wanted),
    /** @param {string} token what `/test/introspect` says of it */
    introspect: (token) => introspect(world, token),
    /** Whether the token opens the mailbox: its user's own, or one shared with them. @param {string} token @param {string} mailbox */
    opens: (token, mailbox) => [undefined, mailbox].some((name) => introspect(world, token, name).username === mailbox),
    /** @param {Record<string, string[]>} mailboxes names, each with the users whose tokens open it */
    shareMailboxes: (mailboxes) => Object.entries(mailboxes).forEach(([name, users]) => world.sharedMailboxes.set(name, users)),
    /** The machine is unreachable from here to `comeBack`; nothing is forgotten. */
    goAway: close,
    comeBack: async () => { ({ servers } = await listenOnLoopback(makeServer, port)); },
    stop: async () => {
      orders.stop();
      await close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startIdentityProvider>>} IdentityProvider */
