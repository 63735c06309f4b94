// SPDX-License-Identifier: MPL-2.0
/**
 * The published schemas as a check: whatever the host writes must fit manifest/protocol.schema.json, and what it accepts
 * must be what the schema lets a client send.
 */
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(new URL(`../../manifest/${name}`, import.meta.url), 'utf8'));

export const policySchema = read('policy.schema.json');
export const protocolSchema = read('protocol.schema.json');

export const makeAjv = () => new Ajv2020.default({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });

const ajv = makeAjv();
ajv.addSchema(policySchema);
ajv.addSchema(protocolSchema);

/** @param {string} definition @returns {import('ajv').ValidateFunction} */
function validator(definition) {
  const validate = ajv.getSchema(`${protocolSchema.$id}#/$defs/${definition}`);
  if (!validate) throw new Error(`the schema has no ${definition}`);
  return validate;
}

/** @param {string} definition @param {unknown} value @returns {string | undefined} how the value differs from the schema */
function difference(definition, value) {
  const validate = validator(definition);
  if (validate(value)) return undefined;
  const reasons = (validate.errors ?? []).map(({ instancePath, message, params }) => (
    `${instancePath || '/'} ${message} ${JSON.stringify(params)}`));
  return `not a ${definition}: ${reasons.slice(0, 4).join('; ')} in ${JSON.stringify(value).slice(0, 600)}`;
}

/**
 * @param {any} message from the host
 * @param {any} [request] the request that it answers, when that was a whole message
 * @returns {string | undefined} how it breaks the contract
 */
export function breach(message, request) {
  if ('method' in message) return difference('notification', message);
  if ('error' in message) return difference('failure', message);
  const wrong = difference('reply', message);
  if (wrong || !request) return wrong;
  return difference(`${request.method}.result`, message.result)
    ?? (request.method === 'hello' ? undefined : difference('request', request));
}

/** Whether a client may send this by the schema. @param {any} request */
export const mayBeSent = (request) => validator(request.id === undefined ? 'cancellation' : 'request')(request);

const policyCheck = ajv.getSchema(policySchema.$id);

/** Whether the schema takes the configuration. @param {unknown} configuration */
export const isConfiguration = (configuration) => Boolean(policyCheck?.(configuration));
