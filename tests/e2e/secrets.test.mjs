// SPDX-License-Identifier: MPL-2.0

/** The search for secrets finds them in every shape in which mail code writes them. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findSecrets } from "./secrets.mjs";

const SECRET = { kind: "access_token", value: "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJvdXRsb29rIn0.c2lnbmF0dXJl-_x" };

test("a secret is found in clear, in XOAUTH2, in UTF-16 and in hexadecimal, and its absence is seen too", async t => {
  const folder = await mkdtemp(join(tmpdir(), "thunderseal-secrets-"));
  t.after(() => rm(folder, { recursive: true }));
  const shapes = {
    clear: `{"accessToken":"${SECRET.value}"}`,
    ...Object.fromEntries(["a@b.test", "ab@b.test", "abc@b.test"].map(user => [
      `xoauth2-${user}`,
      Buffer.from(`user=${user}\x01auth=Bearer ${SECRET.value}\x01\x01`).toString("base64"),
    ])),
    utf16: Buffer.from(SECRET.value, "utf16le"),
    hexadecimal: Buffer.from(SECRET.value).toString("hex"),
  };
  for (const [name, content] of Object.entries(shapes)) {
    await writeFile(join(folder, name), content);
  }
  await writeFile(join(folder, "innocent"), SECRET.value.slice(0, 30));
  const { searched, found } = await findSecrets([folder], [SECRET]);
  assert.equal(searched, Object.keys(shapes).length + 1);
  assert.deepEqual(found.sort(), Object.keys(shapes).map(name => `access_token in ${join(folder, name)}`).sort());
});
