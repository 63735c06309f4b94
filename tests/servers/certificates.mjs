// SPDX-License-Identifier: MPL-2.0
/**
 * A throw-away certificate authority and the certificates of the test servers.
 * Keys live in the given folder only and are valid for a few days.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Long enough for any test run, short enough that a leaked authority is of no use. */
const VALID_DAYS = "14";
const KEY_TYPE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const CONFIGURATION = `[req]
distinguished_name = name
[name]
[ca]
default_ca = books
[books]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any_name
copy_extensions = copy
[any_name]
commonName = supplied
`;

/** The names under which clients look for the test servers. */
export const SERVER_NAMES = [
  "localhost", "127.0.0.1", "::1", "outlook.office365.com", "outlook.office.com", "smtp.office365.com",
  "outlook.office365.us", "smtp.office365.us", "graph.microsoft.com",
];

/**
 * @typedef {{ keyFile: string, certFile: string, key: string, cert: string }} Certificate
 * @typedef {{ folder: string, caFile: string, ca: string, server: Certificate,
 *             issue: (name: string, hosts: string[], expired?: boolean) => Promise<Certificate> }} Certificates
 */

/** @param {string} host */
const alternativeName = (host) => (/^[\d.]+$|:/.test(host) ? `IP:${host}` : `DNS:${host}`);

/**
 * Makes an authority, and a server certificate for all of SERVER_NAMES.
 * @param {{ folder: string, hosts?: string[], authorityName?: string }} options
 * @returns {Promise<Certificates>}
 */
export async function makeCertificates({ folder, hosts = SERVER_NAMES, authorityName = "Thunderseal test authority" }) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const caFile = join(folder, "ca.pem");
  const caKeyFile = join(folder, "ca.key");
  // A configuration of our own: the system's may add extensions that clash with these.
  const configFile = join(folder, "openssl.cnf");
  await writeFile(configFile, CONFIGURATION);
  await run("openssl", [
    "req", "-x509", "-config", configFile, ...KEY_TYPE, "-keyout", caKeyFile, "-out", caFile,
    "-days", VALID_DAYS, "-subj", `/CN=${authorityName}`,
    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    "-addext", "subjectKeyIdentifier=hash",
  ]);

  /** @param {string} name @param {string[]} names @param {boolean} [expired] @returns {Promise<Certificate>} */
  const issue = async (name, names, expired = false) => {
    const keyFile = join(folder, `${name}.key`);
    const certFile = join(folder, `${name}.pem`);
    const wish = [
      ...KEY_TYPE, "-keyout", keyFile, "-subj", `/CN=${names[0]}`,
      "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
      "-addext", "extendedKeyUsage=serverAuth", "-addext", `subjectAltName=${names.map(alternativeName).join(",")}`,
    ];
    if (expired) {
      // `openssl req` counts days from today only; `openssl ca` takes dates, and keeps books in its working directory.
      await run("openssl", ["req", "-new", "-config", configFile, ...wish, "-out", `${certFile}.request`]);
      await writeFile(join(folder, "index.txt"), "");
      await run("openssl", [
        "ca", "-batch", "-config", configFile, "-cert", caFile, "-keyfile", caKeyFile, "-in", `${certFile}.request`, "-out", certFile,
        "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext",
      ], { cwd: folder });
    } else {
      await run("openssl", ["req", "-x509", "-config", configFile, "-CA", caFile, "-CAkey", caKeyFile, "-out", certFile, "-days", VALID_DAYS, ...wish]);
    }
    return { keyFile, certFile, key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8") };
  };

  const server = await issue("server", hosts);
  return { folder, caFile, ca: await readFile(caFile, "utf8"), server, issue };
}
