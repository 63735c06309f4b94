// SPDX-License-Identifier: MPL-2.0
/**
 * Starts the identity provider and the mail servers, prints one JSON line with their addresses, and runs until its
 * standard input closes or it is told to stop. Orders go to POST /control (identity_provider/control_routes.mjs).
 *
 *   run.mjs [--folder DIR] [--strict-rotation] [--auto-login USER] [--no-mail]
 *
 * Without --folder a temporary one is made, and removed in the end.
 */
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startIdentityProvider } from "./identity_provider.mjs";
import { startMail } from "./mail.mjs";

const { values: options } = parseArgs({
  options: {
    folder: { type: "string" }, "strict-rotation": { type: "boolean" }, "auto-login": { type: "string" }, "no-mail": { type: "boolean" },
  },
});
const given = options.folder && resolve(options.folder);
if (given) await mkdir(given, { recursive: true });
const folder = given ?? await mkdtemp(join(tmpdir(), "ts-servers-"));

/** @type {(() => Promise<unknown>)[]} last started, first stopped */
const running = given ? [] : [() => rm(folder, { recursive: true, force: true })];
const told = Promise.race([
  once(process.stdin.resume(), "end"), once(process.stdin, "close"),
  ...["SIGTERM", "SIGINT", "SIGHUP"].map((signal) => once(process, signal)),
]);
try {
  const idp = await startIdentityProvider({ folder: join(folder, "idp"), strictRotation: options["strict-rotation"] });
  running.unshift(idp.stop);
  if (options["auto-login"]) await idp.control({ autoLogin: options["auto-login"] });
  const mail = options["no-mail"] ? undefined : await startMail({ folder: join(folder, "mail"), identityProvider: idp });
  if (mail) running.unshift(mail.stop);
  const { authority, caFile, clientId, tenant, users, outlookResource, graphResource } = idp;
  process.stdout.write(`${JSON.stringify({
    authority, caFile, clientId, tenant, outlookResource, graphResource, users, imap: mail?.imap, smtp: mail?.smtp, folder,
  })}\n`);
  await told;
} finally {
  for (const stop of running) await stop();
}
process.exit();
