// SPDX-License-Identifier: MPL-2.0
/**
 * Breaks the core on purpose, one rule at a time (mutations.txt), and runs the simulator on each wreck: it must
 * notice. A breakage that does not match the source any more is an error, so that the list stays true.
 *
 *     node mutations.mjs BUILD_FOLDER COMPILER FLAGS…
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const SEEDS = "1-25";
const AT_ONCE = 2;
const LIBRARIES = ["-ljansson", "-lsodium", "-lm"];

const run = promisify(execFile);
const [build, command, ...flags] = process.argv.slice(2);
// CC may be more than one word.
const [compiler, ...words] = command.split(" ");
const core = "host/core";

/** @typedef {{file: string, from: string, to: string}} Edit */
/** @typedef {{name: string, edits: Edit[]}} Mutation */

/**
 * @param {string} text
 * @returns {Mutation[]}
 */
function parse(text) {
  /** @type {Mutation[]} */
  const mutations = [];
  for (const line of text.split("\n")) {
    const rest = line.slice(2);
    const mutation = mutations.at(-1);
    if (line.startsWith("== ")) mutations.push({ name: line.slice(3), edits: [] });
    else if (line.startsWith("@ ")) mutation?.edits.push({ file: rest, from: "", to: "" });
    else if (line.startsWith("- ")) addLine(mutation, "from", rest);
    else if (line.startsWith("+ ")) addLine(mutation, "to", rest);
    else if (line !== "" && !line.startsWith("#")) throw new Error(`not understood: ${line}`);
  }
  return mutations;
}

/**
 * @param {Mutation|undefined} mutation
 * @param {"from"|"to"} side
 * @param {string} line
 */
function addLine(mutation, side, line) {
  const edit = mutation?.edits.at(-1);
  if (!edit) throw new Error(`a line without a file: ${line}`);
  edit[side] += edit[side] === "" ? line : `\n${line}`;
}

/**
 * @param {Mutation} mutation
 * @returns {Promise<Map<string, string>>} the files that are broken
 */
async function breakFiles(mutation) {
  const files = new Map();
  for (const { file, from, to } of mutation.edits) {
    const text = files.get(file) ?? (await readFile(join(core, file), "utf8"));
    const parts = text.split(from);
    if (parts.length !== 2)
      throw new Error(`"${mutation.name}" matches ${file} ${parts.length - 1} times, not once:\n${from}`);
    files.set(file, parts.join(to));
  }
  return files;
}

/**
 * @param {Mutation} mutation
 * @param {number} number
 * @returns {Promise<string>} the program
 */
async function compile(mutation, number) {
  const folder = join(build, "mutants", String(number));
  const files = await breakFiles(mutation);
  await mkdir(folder, { recursive: true });
  const objects = [];
  for (const [file, text] of files) {
    const source = join(folder, file);
    const object = source.replace(/\.c$/, ".o");
    await writeFile(source, text);
    await run(compiler, [...words, ...flags, "-w", "-c", "-o", object, source]);
    objects.push(object);
  }
  const whole = (await readdir(join(build, "obj/core"))).filter((name) => name.endsWith(".o"));
  const simulator = (await readdir(join(build, "sim-obj"))).filter((name) => name.endsWith(".o"));
  objects.push(...whole.filter((name) => !files.has(name.replace(/\.o$/, ".c"))).map((name) => join(build, "obj/core", name)));
  objects.push(...simulator.map((name) => join(build, "sim-obj", name)));
  const program = join(folder, "sim");
  await run(compiler, [...words, ...objects, ...LIBRARIES, "-o", program]);
  return program;
}

/**
 * @param {Mutation} mutation
 * @param {number} number
 * @returns {Promise<boolean>} whether it was noticed
 */
async function check(mutation, number) {
  const program = await compile(mutation, number);
  try {
    await run(program, ["--seeds", SEEDS], { maxBuffer: 1 << 24, timeout: 120000 });
  } catch (error) {
    const { code, stdout } = /** @type {{code: number, stdout: string}} */ (error);
    const found = /^FAILED: (.*)$/m.exec(stdout);
    if (code === 1 && found) {
      console.log(`caught: ${mutation.name}\n        ${found[1]}`);
      return true;
    }
    console.log(`NOT RUN: ${mutation.name}: ${code} ${stdout}`);
    return false;
  }
  console.log(`MISSED: ${mutation.name}`);
  return false;
}

const only = process.env.MUTATION;
const waiting = parse(await readFile(new URL("mutations.txt", import.meta.url), "utf8"))
  .map((mutation, index) => ({ mutation, number: index + 1 }))
  .filter(({ number }) => !only || String(number) === only);
const total = waiting.length;
let caught = 0;

async function worker() {
  for (let next = waiting.shift(); next; next = waiting.shift())
    if (await check(next.mutation, next.number)) caught++;
}

await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log(`${caught} of ${total} breakages caught`);
process.exitCode = caught === total ? 0 : 1;
