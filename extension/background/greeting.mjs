// SPDX-License-Identifier: MPL-2.0

/** What the host is told about this Thunderbird when it starts. */

/* global browser, messenger */

/** For which address Thunderbird's proxy settings are asked. */
const DEFAULT_AUTHORITY = "https://login.microsoftonline.com/";

/** A proxy script may be loaded from a server that does not answer; mail that needs no proxy goes on without it. */
const PROXY_DEADLINE_MS = 1_500;

/** @returns {Promise<Record<string, any>>} what the administrator set by Thunderbird's enterprise policies */
export function managedSettings() {
  // Rejects where the administrator set nothing.
  return browser.storage.managed.get().catch(() => ({}));
}

/** @returns {Promise<string|null>} */
function proxy() {
  const late = new Promise(resolve => setTimeout(() => resolve(null), PROXY_DEADLINE_MS));
  return Promise.race([messenger.tokenBridge.proxyFor(DEFAULT_AUTHORITY).catch(() => null), late]);
}

/** @returns {Promise<object>} the parameters of hello beside the protocol */
export async function greeting() {
  const [{ version }, found, managed] = await Promise.all([browser.runtime.getBrowserInfo(), proxy(), managedSettings()]);
  return {
    extension: { version: browser.runtime.getManifest().version },
    thunderbird: { version },
    locale: browser.i18n.getUILanguage(),
    ...(found ? { proxy: found } : {}),
    ...(Object.keys(managed).length ? { managed } : {}),
  };
}
