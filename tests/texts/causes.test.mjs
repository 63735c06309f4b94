// SPDX-License-Identifier: MPL-2.0
/** Every cause that a check names, and every kind and stage that the audit log holds, has words in the add-on. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { COMMAND_LINE } from './extract.mjs';

const ROOT = new URL('../../', import.meta.url);

/** @param {string} path */
const source = (path) => readFileSync(new URL(path, ROOT), 'utf8');

/** The ids that an expression can stand for, where it is no literal: a table, and how an id stands in it. @type {Record<string, [string, RegExp]>} */
const TABLES = {
  'problem_kind_name(problem->kind)': ['host/core/problem.c', /\[PROBLEM_\w+\] = \{"([^"]+)"/g],
  'rows[base->id].name': ['host/service/health.c', /\[HEALTH_\w+\] = \{"([^"]+)"/g],
  'mail_cause_text(ranking->causes[i])->id': ['host/core/mail_cause.c', /\[MAIL_CAUSE_\w+\] = \{"([^"]+)"/g],
  'audit_damage_name(verdict.first.damage)': ['host/vault/audit_walk.c', /\[AUDIT_\w+\] = "([^"]+)"/g],
  'deadline->cause': ['host/core/deadlines.c', /(?:true|false), (?:true|false), "([^"]+)"/g],
  'finding.cause': ['host/service/health_servers.c', /CHECK_(?:WARN|FAIL), "([^"]+)"/g],
  'answer->stage': ['host/core/diagnosis_words.c', /^ +\{"(\w+)", "/gm],
  stage: ['host/service/health_graph.c', /^ +\{"(\w+)", "/gm],
};

/** @param {string} expression given to check_cause @param {string} path @returns {string[]} */
function idsOf(expression, path) {
  const literals = [...expression.matchAll(/"([^"]*)"/g)].map(([, id]) => id);
  if (literals.length > 0) return literals;
  const table = TABLES[expression];
  assert.ok(table, `${path}: name the table from which check_cause(check, ${expression}) takes its ids`);
  const ids = [...source(table[0]).matchAll(table[1])].map(([, id]) => id);
  assert.ok(ids.length > 2, `${table[0]} has no such table`);
  return ids;
}

const paths = readdirSync(new URL('host/', ROOT), { recursive: true, encoding: 'utf8' })
  .map((path) => `host/${path}`).filter((path) => path.endsWith('.c') && !COMMAND_LINE.test(path));

const ids = new Set(paths.flatMap((path) =>
  [...source(path).matchAll(/\bcheck_cause\(check, ([^;]*)\);/g)].flatMap(([, expression]) => idsOf(expression, path))));

for (const language of readdirSync(new URL('extension/_locales/', ROOT))) {
  test(`every cause has words in ${language}, and no other`, () => {
    assert.ok(ids.size > 100, `only ${ids.size} causes were found`);
    const texts = Object.keys(JSON.parse(source(`extension/_locales/${language}/messages.json`))).filter((key) => key.startsWith('health_cause_'));
    assert.deepEqual(texts.sort(), [...ids].map((id) => `health_cause_${id.replaceAll('-', '_')}`).sort());
  });
}
