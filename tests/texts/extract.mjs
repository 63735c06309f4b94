// SPDX-License-Identifier: MPL-2.0
/**
 * The texts of the host: every format that core/text.h speaks of, found in the C source as xgettext would find it.
 *
 * Texts are the literals in TEXT("…"); those with a blank in a table or variable marked TEXTS; and those given to a
 * parameter that its declaration marks TEXTS.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Only the command line says these; it speaks English. The checks that the health report shares are not among them. */
export const COMMAND_LINE = /^host\/(cli\/|service\/doctor(?!_(clock|settings|state)\.c)|service\/policy_check\.c|core\/policy_merge\.c)/;

/** @typedef {{ kind: 'string' | 'name' | 'other', text: string }} Token */
/** @typedef {{ path: string, tokens: Token[], macros: Map<string, Token[]> }} Source */
/** @typedef {{ english: string, where: string }} HostText */

/** FNV-1a, 32 bits, as core/text.c has it. @param {string} english */
export function textId(english) {
  let hash = 2166136261;
  for (const byte of Buffer.from(english)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return `t${hash.toString(16).padStart(8, '0')}`;
}

/** How many arguments the format takes; NaN where it holds what core/text.c does not know. @param {string} english */
export function argumentCount(english) {
  const conversions = english.match(/%(?:-s|lld|zu|[sdu%]|.?)/gs) ?? [];
  if (conversions.some((each) => !/^%(-s|lld|zu|[sdu%])$/.test(each))) return NaN;
  return conversions.filter((each) => each !== '%%').length;
}

/** The sentence of a format and its arguments. @param {string} english @param {string[]} args */
export function fill(english, args) {
  let next = 0;
  return english.replace(/%(-s|lld|zu|[sdu%])/g, (conversion) => (conversion === '%%' ? '%' : args[next++]));
}

/** @param {string} literal without its quotes */
const unescape = (literal) =>
  literal.replace(/\\(x[0-9a-fA-F]{2}|.)/gs, (_, /** @type {string} */ code) =>
    code[0] === 'x' ? String.fromCharCode(parseInt(code.slice(1), 16)) : code === 'n' ? '\n' : code);

/** @param {string} text @returns {Token[]} */
function tokenize(text) {
  const pattern = /\/\*.*?\*\/|\/\/[^\n]*|\s+|'(?:[^'\\]|\\.)*'|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|\d[\w.]*|./gs;
  /** @type {Token[]} */
  const tokens = [];
  for (const [all, literal, name] of text.matchAll(pattern)) {
    if (/^(\s|\/\*|\/\/)/.test(all)) continue;
    if (literal !== undefined) tokens.push({ kind: 'string', text: unescape(literal) });
    else tokens.push({ kind: name === undefined ? 'other' : 'name', text: all });
  }
  return tokens;
}

/** @param {string} path @returns {Source} */
function read(path) {
  const macros = new Map();
  const code = readFileSync(path, 'utf8').replace(/^[ \t]*#(?:[^\\\n]|\\.)*(?:\\\n(?:[^\\\n]|\\.)*)*/gms, (directive) => {
    const found = directive.match(/^\s*#\s*define\s+(\w+)\s+(.*)$/s);
    if (found !== null) macros.set(found[1], tokenize(found[2].replaceAll('\\\n', '\n')));
    return '';
  });
  return { path: relative(ROOT, path), tokens: tokenize(code), macros };
}

/** The index behind the bracket that closes the one at `open`. @param {Token[]} tokens @param {number} open */
function behind(tokens, open) {
  for (let depth = 0, at = open; at < tokens.length; at++) {
    if (tokens[at].kind !== 'other') continue;
    if ('([{'.includes(tokens[at].text)) depth++;
    if (')]}'.includes(tokens[at].text) && --depth === 0) return at + 1;
  }
  throw new Error('A bracket is not closed');
}

/** Divided at the commas that stand in no further bracket. @param {Token[]} tokens @returns {Token[][]} */
function list(tokens) {
  /** @type {Token[][]} */
  const parts = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'other' && '([{'.includes(token.text)) depth++;
    if (token.kind === 'other' && ')]}'.includes(token.text)) depth--;
    if (depth === 0 && token.kind === 'other' && token.text === ',') parts.push([]);
    else parts[parts.length - 1].push(token);
  }
  return parts;
}

/** The literals among the tokens, adjoining ones as one; those in round brackets left out unless `deep`. */
class Literals {
  /** @param {Source} source @param {Map<string, Token[]>} shared macros of the headers */
  constructor(source, shared) {
    this.source = source;
    this.shared = shared;
  }

  /** A macro that is nothing but literals, as one. @param {Token} token @returns {string | null} */
  value(token) {
    if (token.kind === 'string') return token.text;
    const body = token.kind === 'name' ? (this.source.macros.get(token.text) ?? this.shared.get(token.text)) : undefined;
    if (body === undefined || body.length === 0) return null;
    const parts = body.map((each) => this.value(each));
    return parts.includes(null) ? null : parts.join('');
  }

  /** @param {Token[]} tokens @param {boolean} deep @returns {string[]} */
  of(tokens, deep) {
    /** @type {string[]} */
    const found = [];
    let open = false;
    for (let at = 0; at < tokens.length; at++) {
      const value = this.value(tokens[at]);
      if (value !== null) found.push(open ? found.pop() + value : value);
      open = value !== null;
      if (!deep && tokens[at].kind === 'other' && tokens[at].text === '(') at = behind(tokens, at) - 1;
    }
    return found;
  }
}

/** The functions with parameters marked TEXTS, and which of them are. @param {Source} source @returns {Map<string, number[]>} */
function marked(source) {
  const { tokens } = source;
  const functions = new Map();
  for (let at = 1; at < tokens.length; at++) {
    if (tokens[at].text !== '(' || tokens[at].kind !== 'other' || tokens[at - 1].kind !== 'name') continue;
    const indexes = list(tokens.slice(at + 1, behind(tokens, at) - 1)).flatMap((parameter, index) =>
      parameter.at(-1)?.text === 'TEXTS' ? [index] : []);
    if (indexes.length !== 0) functions.set(tokens[at - 1].text, indexes);
  }
  return functions;
}

/** @param {Source} source @param {Map<string, Token[]>} shared @param {Map<string, number[]>} functions @returns {string[]} */
function textsOf(source, shared, functions) {
  const { tokens } = source;
  const literals = new Literals(source, shared);
  /** @type {string[]} */
  const found = [];
  for (let at = 0; at < tokens.length; at++) {
    const called = tokens[at].kind === 'name' && tokens[at + 1]?.text === '(' ? tokens[at].text : '';
    if (called === 'TEXT') {
      found.push(...literals.of(tokens.slice(at + 2, behind(tokens, at + 1) - 1), true));
    } else if (functions.has(called)) {
      const given = list(tokens.slice(at + 2, behind(tokens, at + 1) - 1));
      for (const index of functions.get(called) ?? []) found.push(...literals.of(given[index] ?? [], false));
    } else if (tokens[at].text === 'TEXTS' && tokens[at + 1]?.text === '=') {
      const end = tokens.findIndex((token, index) => index > at && token.kind === 'other' && token.text === ';');
      found.push(...literals.of(tokens.slice(at + 2, end), true).filter((text) => text.includes(' ')));
    }
  }
  if (found.includes('%s')) throw new Error(`${source.path}: a text that is given as it stands is "%-s", not "%s"`);
  return found.filter((text) => !['', '%-s'].includes(text));
}

/** Every text that the add-on can get, by id. @returns {Map<string, HostText>} */
export function hostTexts() {
  const paths = readdirSync(join(ROOT, 'host'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.[ch]$/.test(path)).sort().map((path) => join(ROOT, 'host', path));
  const sources = paths.map(read);
  const headers = sources.filter(({ path }) => path.endsWith('.h'));
  const shared = new Map(headers.flatMap(({ macros }) => [...macros]));
  const everywhere = new Map(headers.flatMap((header) => [...marked(header)]));
  /** @type {Map<string, HostText>} */
  const texts = new Map();
  for (const source of sources) {
    if (COMMAND_LINE.test(source.path)) continue;
    for (const english of textsOf(source, shared, new Map([...everywhere, ...marked(source)]))) {
      const id = textId(english);
      const known = texts.get(id);
      if (known !== undefined && known.english !== english) throw new Error(`Two texts have the id ${id}: change one of them.\n${known.english}\n${english}`);
      if (known === undefined) texts.set(id, { english, where: source.path });
    }
  }
  return texts;
}
