// SPDX-License-Identifier: MPL-2.0
/**
 * Dovecot without privileges, on high loopback ports, with tokens as the only way in.
 */
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { listenOnLoopback } from "../loopback.mjs";
import { endGroup, giveTo, letThrough, serverIdentity, startAs } from "../processes.mjs";

/** A unix socket's path is at most 107 bytes; the longest name Dovecot puts under base_dir has some 30. */
const LONGEST_BASE_DIR = 76;
/** Somebody may take a port between our look and Dovecot's start. */
const START_TRIES = 5;
const READY = /starting up for/;

/**
 * @typedef {{ folder: string, introspectionUrl: string, caFile: string, key: string, cert: string,
 *             mailboxes: Record<string, string[]>, relayPort: number, onLine: (line: string) => void }} DovecotOptions
 *          `relayPort`: of the SMTP server on 127.0.0.1 that the submission service hands messages on to
 * @typedef {Record<typeof PORT_NAMES[number], number>} Ports  those with an s at their end speak TLS from the first byte
 */

const PORT_NAMES = /** @type {const} */ (["imaps", "imap", "pop3s", "pop3", "submissions", "submission"]);

/** Ports that were free a moment ago. @returns {Promise<Ports>} */
async function freePorts() {
  const held = await Promise.all(PORT_NAMES.map(() => listenOnLoopback(() => createServer())));
  await Promise.all(held.flatMap(({ servers }) => servers.map((server) => once(server.close(), "close"))));
  return /** @type {Ports} */ (Object.fromEntries(PORT_NAMES.map((name, i) => [name, held[i].port])));
}

/** @param {DovecotOptions} options @param {string} url */
const oauth2Config = ({ folder }, url) => `
introspection_url = ${url}
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
tls_ca_cert_file = ${folder}/ca.pem
timeout_msecs = 8000
`;

/** @param {string} file @param {boolean} last */
const passdb = (file, last) => `passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${file}
  result_failure = ${last ? "return-fail" : "continue"}
}
`;

/** @param {string} protocol @param {Record<string, number>} ports */
const loginService = (protocol, ports) => `service ${protocol}-login {
  chroot =
  inet_listener ${protocol} {
    port = ${ports[protocol]}
  }
  inet_listener ${protocol}s {
    port = ${ports[`${protocol}s`]}
    ssl = yes
  }
}
`;

/**
 * @param {DovecotOptions} options @param {Ports} ports @param {import('../processes.mjs').Identity} identity
 * @param {string} passdbs
 */
const mainConfig = ({ folder, relayPort }, ports, { name, group, uid, gid }, passdbs) => `
protocols = imap pop3 submission
listen = 127.0.0.1, ::1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
default_login_user = ${name}
default_internal_user = ${name}
default_internal_group = ${group}
first_valid_uid = ${uid}
first_valid_gid = ${gid}

ssl = required
ssl_cert = <${folder}/server.pem
ssl_key = <${folder}/server.key

auth_mechanisms = xoauth2 oauthbearer
auth_verbose = yes
auth_failure_delay = 0
mail_max_userip_connections = 0
${passdbs}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/home/%u
}
mail_location = maildir:~/mail
hostname = localhost
submission_relay_host = 127.0.0.1
submission_relay_port = ${relayPort}
submission_relay_trusted = yes
namespace inbox {
  inbox = yes
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
}

service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
${["imap", "pop3", "submission"].map((protocol) => loginService(protocol, ports)).join("")}`;

/** Writes everything Dovecot reads. @param {DovecotOptions} options */
async function prepare(options) {
  const { folder, introspectionUrl, mailboxes, key, cert, caFile } = options;
  const identity = await serverIdentity();
  await mkdir(join(folder, "run"), { recursive: true, mode: 0o755 });
  for (const name of ["state", "home"]) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "server.key"), key, { mode: 0o600 });
  await writeFile(join(folder, "server.pem"), cert);
  await writeFile(join(folder, "ca.pem"), caFile);
  // Introspection knows only the token, Dovecot insists on the name it tells: another mailbox's name needs its own question.
  const questions = [...Object.keys(mailboxes).map((name) => `${introspectionUrl}?mailbox=${encodeURIComponent(name)}`), introspectionUrl];
  const files = questions.map((_url, index) => join(folder, `oauth2-${index}.conf.ext`));
  await Promise.all(files.map((file, index) => writeFile(file, oauth2Config(options, questions[index]))));
  return { identity, passdbs: files.map((file, index) => passdb(file, index === files.length - 1)).join("") };
}

/** @param {DovecotOptions} given @returns {Promise<{ ports: Ports, stop: () => Promise<void>, identity: import('../processes.mjs').Identity }>} */
export async function startDovecot(given) {
  const folder = join(given.folder, "dovecot");
  const options = { ...given, folder };
  if (Buffer.byteLength(folder) > LONGEST_BASE_DIR) throw new Error(`${folder} is too long a name for unix sockets`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { identity, passdbs } = await prepare(options);
  await letThrough(given.folder, identity);
  const configFile = join(folder, "dovecot.conf");
  const logFile = join(given.folder, "dovecot.log");

  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts();
    await writeFile(configFile, mainConfig(options, ports, identity, passdbs));
    await giveTo(folder, identity);
    const child = startAs("dovecot", ["-F", "-c", configFile], identity, folder);
    /** @type {string[]} */
    const lines = [];
    const ended = once(child, "exit");
    const log = createInterface({ input: child.stderr });
    const ready = new Promise((resolve) => {
      log.on("line", (line) => {
        lines.push(line);
        appendFileSync(logFile, `${line}\n`);
        if (READY.test(line)) resolve(true);
        given.onLine(line);
      });
      ended.then(() => resolve(false), () => resolve(false));
      child.on("error", () => resolve(false));
    });
    if (await ready) {
      const stop = async () => {
        await endGroup(/** @type {number} */ (child.pid));
        log.close();
      };
      return { ports, stop, identity };
    }
    if (child.pid) await endGroup(child.pid);
    const story = lines.join("\n");
    if (attempt === START_TRIES || !/Address already in use/.test(story)) throw new Error(`Dovecot did not start:\n${story}`);
  }
}
