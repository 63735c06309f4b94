// SPDX-License-Identifier: MPL-2.0
/**
 * The organisation's way back: sealed files of a lost computer, opened with the recovery key, become a backup
 * that `thunderseal restore` takes anywhere.
 *
 *     node to_backup.mjs RECOVERY.key NEW.backup FILE.sealed…     (the backup's passphrase: first line of stdin)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import * as backups from './backup.mjs';
import * as envelopes from './envelope.mjs';

const [keyFile, target, ...files] = process.argv.slice(2);
if (!files.length) throw new Error('Give the file of the recovery key, a name for the backup, and the sealed files.');
const recoveryKey = Buffer.from(await readFile(keyFile, 'utf8'), 'base64');
const identities = await Promise.all(files.map(async (file) => {
  const { header, payload } = envelopes.openForRecovery(await readFile(file), recoveryKey);
  return { header, payload: { ...JSON.parse(payload.toString()), access: [] } };
}));
const [passphrase] = (await text(process.stdin)).split('\n');
const content = { version: 1, createdAt: Math.floor(Date.now() / 1000), tokens: true, identities };
await writeFile(target, backups.sealWithPassphrase(JSON.stringify(content), passphrase), { flag: 'wx', mode: 0o600 });
