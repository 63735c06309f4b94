// SPDX-License-Identifier: MPL-2.0

/** The welcome page: opened once by itself where nobody has signed in yet, and whenever the user wants it. */

/* global browser */

/** The pages of the folder `welcome`. */
const PAGES = ["welcome", "safely", "admins"];

/** In the add-on's storage: whether the page has had its turn. */
const SHOWN = "welcomeShown";

export class Welcome {
  #host;
  #considered = false;
  /** @type {number|null} the tab that it was shown in last */
  #tab = null;

  /** @param {{state: string, request: (method: string, params: object) => Promise<any>}} host */
  constructor(host) {
    this.#host = host;
  }

  /** Opens the page if this is its time. Only the host knows what the administrator says about it. */
  async consider() {
    if (this.#considered || this.#host.state !== "connected") {
      return;
    }
    this.#considered = true;
    try {
      await this.#openOnce();
    } catch {
      // The host was lost; the next one is asked again.
      this.#considered = false;
    }
  }

  async #openOnce() {
    if ((await browser.storage.local.get(SHOWN))[SHOWN]) {
      return;
    }
    const [{ policy }, { accounts }] = await Promise.all([this.#host.request("policy.get", {}), this.#host.request("account.list", {})]);
    if (policy.welcome === false) {
      return;
    }
    if (!accounts.some((/** @type {any} */ { refreshToken }) => refreshToken?.present)) {
      await this.show("welcome");
    }
    await browser.storage.local.set({ [SHOWN]: true });
  }

  /**
   * Opens a page, or raises the tab where it is.
   * @param {string} [page]
   */
  async show(page = "welcome") {
    if (!PAGES.includes(page)) {
      throw new Error(`${page}: no such page`);
    }
    const url = browser.runtime.getURL(`welcome/${page}.html`);
    const open = this.#tab === null ? null : await browser.tabs.get(this.#tab).catch(() => null);
    if (open) {
      // Loaded anew it would lose what was typed into it.
      await browser.tabs.update(open.id, { active: true, ...(open.url === url ? {} : { url }) });
    } else {
      this.#tab = (await browser.tabs.create({ url })).id;
    }
  }
}
