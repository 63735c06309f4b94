// SPDX-License-Identifier: MPL-2.0
/** A second reader and writer of the audit log, from host/vault/FORMAT.md alone: BLAKE2b (RFC 7693) with key, salt and person, and the chain. */

const IV = [0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n];
const SIGMA = ['0123456789abcdef', 'ea489fd61c02b753', 'b8c052fdae367194', '7931dcbe265a40f8', '905724afe1bc683d',
  '2c6a0b834d75fe19', 'c51fed4a0763928b', 'db7ec13950f4862a', '6fe9b308c2d714a5', 'a2847615fb9e3cd0', '0123456789abcdef', 'ea489fd61c02b753']
  .map((row) => [...row].map((digit) => Number.parseInt(digit, 16)));
const MASK = (1n << 64n) - 1n;
const CLOCKS = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

/** @param {bigint} value @param {bigint} bits */
const turn = (value, bits) => ((value >> bits) | (value << (64n - bits))) & MASK;

/** @param {bigint[]} h @param {Buffer} block @param {number} count bytes until here @param {boolean} last */
function compress(h, block, count, last) {
  const m = Array.from({ length: 16 }, (_unused, i) => block.readBigUInt64LE(8 * i));
  const v = [...h, ...IV];
  v[12] ^= BigInt(count);
  if (last) v[14] ^= MASK;
  for (const row of SIGMA) {
    CLOCKS.forEach(([a, b, c, d], i) => {
      v[a] = (v[a] + v[b] + m[row[2 * i]]) & MASK;
      v[d] = turn(v[d] ^ v[a], 32n);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = turn(v[b] ^ v[c], 24n);
      v[a] = (v[a] + v[b] + m[row[2 * i + 1]]) & MASK;
      v[d] = turn(v[d] ^ v[a], 16n);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = turn(v[b] ^ v[c], 63n);
    });
  }
  return h.map((word, i) => word ^ v[i] ^ v[i + 8]);
}

/** @param {Buffer} input @param {number} size of the hash @param {Buffer} key @param {{ salt?: Buffer, person?: Buffer }} [more] */
export function blake2b(input, size, key, { salt, person } = {}) {
  const parameters = Buffer.alloc(64);
  parameters.set([size, key.length, 1, 1]);
  if (salt) parameters.set(salt, 32);
  if (person) parameters.set(person, 48);
  let h = IV.map((word, i) => word ^ parameters.readBigUInt64LE(8 * i));
  const padded = key.length ? Buffer.concat([key, Buffer.alloc(128 - key.length), input]) : input;
  const blocks = Math.max(1, Math.ceil(padded.length / 128));
  for (let i = 0; i < blocks; i += 1) {
    const block = Buffer.alloc(128);
    padded.copy(block, 0, 128 * i);
    const last = i === blocks - 1;
    h = compress(h, block, last ? padded.length : 128 * (i + 1), last);
  }
  const out = Buffer.alloc(64);
  h.forEach((word, i) => out.writeBigUInt64LE(word, 8 * i));
  return out.subarray(0, size);
}

/** libsodium's crypto_kdf_derive_from_key. @param {Buffer} from @param {number} number @param {string} context */
function derive(from, number, context) {
  const salt = Buffer.alloc(16);
  salt.writeBigUInt64LE(BigInt(number));
  const person = Buffer.alloc(16);
  person.write(context);
  return blake2b(Buffer.alloc(0), 32, from, { salt, person });
}

export class AuditReader {
  /** @param {Buffer} keyFile the file `key` */
  constructor(keyFile) {
    const mac = derive(keyFile.subarray(6), 2, 'TSealMac');
    this.chain = derive(mac, 1, 'TSealLog');
    this.names = derive(mac, 2, 'TSealLog');
  }

  /** @param {string} address */
  hashOf(address) {
    return blake2b(Buffer.from(`a${address.toLowerCase()}`), 16, this.names).toString('hex');
  }

  /** @param {string} previous mac in hex @param {string} text the line up to its mac */
  #mac(previous, text) {
    return blake2b(Buffer.concat([Buffer.from(previous, 'hex'), Buffer.from(text)]), 32, this.chain).toString('hex');
  }

  /** The number of lines that follow from each other. @param {string} log */
  provenLines(log) {
    let previous = '', proven = 0, seq = 0;
    for (const line of log.split(/(?<=\n)/)) {
      const [, text, mac] = /^(.*),"mac":"([0-9a-f]{64})"\}\n$/.exec(line) ?? [];
      if (!mac) return proven;
      const entry = JSON.parse(`${text}}`);
      const alone = ['log-started', 'log-pruned', 'log-rekeyed', 'log-damaged'].includes(entry.event);
      if (this.#mac(alone ? '00'.repeat(32) : previous, text) !== mac || (!alone && entry.seq !== seq + 1)) return proven;
      previous = entry.event === 'log-pruned' ? entry.after : mac;
      ({ seq } = entry);
      proven += 1;
    }
    return proven;
  }

  /** Lines as the program would have written them. @param {{ seq: number, time: number, event: string, [more: string]: unknown }[]} entries from the first on */
  write(entries) {
    let previous = '00'.repeat(32);
    return entries.map((entry) => {
      const text = JSON.stringify(entry).slice(0, -1);
      previous = this.#mac(previous, text);
      return `${text},"mac":"${previous}"}\n`;
    }).join('');
  }
}
