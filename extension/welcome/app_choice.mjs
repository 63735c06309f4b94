// SPDX-License-Identifier: MPL-2.0

/** Which app Microsoft is told of: what the policy says, or the user's explicit choice. */

import { find, show } from "../shared/page.mjs";
import { isLocked } from "../shared/policy_source.mjs";
import { sentencesOf, text } from "../shared/texts.mjs";

/** @typedef {{policy: Record<string, any>, sources: Record<string, string>}} Configuration the host's answer to policy.get */

/** Thunderbird's public id, registered by Mozilla. */
const THUNDERBIRD = "9e5f94bc-e8a4-4e73-b8be-63364c29d753";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the examples show. */
const NOBODY = /^[0-]+$/;

/** A domain, or one of Microsoft's names for several tenants. */
const TENANT_NAME = /^([a-z0-9-]+(\.[a-z0-9-]+)+|common|organizations|consumers)$/i;

/** @param {string} id */
const byId = id => find(document, `#${id}`);

/** @param {string} id @returns {HTMLInputElement} */
const input = id => /** @type {HTMLInputElement} */ (byId(id));

export class AppChoice {
  #link;
  #onChosen;
  /** @type {Configuration|null} */
  #configuration = null;
  #signedIn = false;
  /** The user wants another one than the one in force. */
  #again = false;

  /**
   * @param {import("../shared/link.mjs").Link} link
   * @param {() => Promise<void>} onChosen another app is in force
   */
  constructor(link, onChosen) {
    this.#link = link;
    this.#onChosen = onChosen;
    const form = byId("app-form");
    form.addEventListener("change", () => {
      this.#complain("");
      this.#drawFields();
    });
    form.addEventListener("submit", event => {
      event.preventDefault();
      this.#submit();
    });
    byId("app-other").addEventListener("click", () => {
      this.#again = true;
      this.#draw();
      input("app-own").focus();
    });
    byId("copy-letter").addEventListener("click", () => this.#copyLetter());
  }

  /**
   * @param {Configuration} configuration
   * @param {boolean} signedIn an account holds a sign-in of the app that is in force
   */
  draw(configuration, signedIn) {
    this.#configuration = configuration;
    this.#signedIn = signedIn;
    this.#draw();
  }

  /** Whether there is an app to sign in with. */
  get made() {
    return Boolean(this.#configuration?.policy.clientId);
  }

  #draw() {
    const { policy, sources } = this.#configuration ?? { policy: {}, sources: {} };
    const open = !this.made || this.#again;
    byId("app-chosen").hidden = !this.made;
    if (this.made) {
      const given = isLocked(sources.clientId);
      const own = policy.clientId.toLowerCase() === THUNDERBIRD ? "welcome_app_chosen_thunderbird" : "welcome_app_chosen_own";
      show(find(byId("app-chosen"), ".what"), text(given ? "welcome_app_given" : own));
      show(find(byId("app-chosen"), ".id"), text("welcome_app_chosen_id", policy.clientId));
      byId("app-other").hidden = given || open;
    }
    byId("app-form").hidden = !open;
    byId("app-again").hidden = !this.#signedIn;
    byId("app-elsewhere").hidden = (policy.cloud ?? "worldwide") === "worldwide";
    byId("tenant-field").hidden = isLocked(sources.tenant);
    byId("letter").textContent = text("welcome_app_letter");
    this.#drawFields();
  }

  #drawFields() {
    byId("app-own-fields").hidden = !input("app-own").checked;
  }

  /**
   * Says what is wrong beside where it is wrong; nothing is wrong elsewhere.
   * @param {string} words and what to do about it
   * @param {"client-id"|"tenant"|"app"} where
   */
  #complain(words, where = "app") {
    for (const place of ["client-id", "tenant", "app"]) {
      byId(`${place}-problem`).textContent = place === where ? words : "";
    }
    for (const field of ["client-id", "tenant"]) {
      input(field).ariaInvalid = words && field === where ? "true" : null;
    }
    if (words && where !== "app") {
      input(where).focus();
    }
  }

  /** What the user typed, or null after saying what is wrong with it. */
  #chosen() {
    if (input("app-thunderbird").checked) {
      return { clientId: THUNDERBIRD };
    }
    if (!input("app-own").checked) {
      this.#complain(text("welcome_app_choose"));
      input("app-own").focus();
      return null;
    }
    const clientId = input("client-id").value.trim().replace(/^\{(.*)\}$/, "$1");
    const tenant = input("tenant").value.trim();
    if (!GUID.test(clientId) || NOBODY.test(clientId)) {
      this.#complain(text("welcome_app_id_wrong"), "client-id");
      return null;
    }
    if (tenant && !GUID.test(tenant) && !TENANT_NAME.test(tenant)) {
      this.#complain(text("welcome_app_tenant_wrong"), "tenant");
      return null;
    }
    return byId("tenant-field").hidden ? { clientId } : { tenant: tenant || null, clientId };
  }

  async #submit() {
    const submit = find(byId("app-form"), "[type=submit]");
    const chosen = submit.ariaDisabled === "true" ? null : this.#chosen();
    if (!chosen) {
      return;
    }
    // Not disabled, as the focus would be lost.
    submit.ariaDisabled = "true";
    this.#complain("");
    try {
      // The id comes last: until then nothing is different.
      for (const [key, value] of Object.entries(chosen)) {
        await this.#link.order("ask", { method: "settings.set", params: { key, value } });
      }
      this.#again = false;
      await this.#onChosen();
    } catch (error) {
      this.#complain(sentencesOf(/** @type {import("../shared/link.mjs").OrderFailed} */ (error).problem));
    }
    submit.ariaDisabled = null;
  }

  async #copyLetter() {
    const copied = navigator.clipboard.writeText(text("welcome_app_letter"));
    byId("copied").textContent = text(await copied.then(() => "welcome_app_copied", () => "welcome_app_copy_failed"));
  }
}
