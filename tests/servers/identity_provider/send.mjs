// SPDX-License-Identifier: MPL-2.0

/**
 * Answers with a page (a string) or JSON (anything else).
 * @param {import("node:http").ServerResponse} response @param {number} status @param {unknown} body
 * @param {Record<string, string>} [headers]
 */
export function send(response, status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? "");
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
  response.end(text);
}
