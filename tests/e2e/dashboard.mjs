// SPDX-License-Identifier: MPL-2.0

/** The dashboard's tab as a test sees it. */

/* global Services, content, texts, until */

import { ExtensionPage } from "./extension_page.mjs";

/** Tabs have nothing that a selector could tell them by, so the one meant is marked. */
const MARK = "data-dashboard";
const PLACE = { windowType: "mail:3pane", selector: `browser[${MARK}]` };

/**
 * Runs in Thunderbird: clicks the button among the spaces, and marks the tab that is in front then.
 * @param {string} id
 * @param {string} mark
 */
async function clickSpace(id, mark) {
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const buttonOfOurs = ({ button }) => button.id.startsWith(id.replace(/[^a-z0-9_-]/g, "_")) && button.title;
  const { button } = window.gSpacesToolbar.spaces.find(buttonOfOurs);
  button.click();
  const tabmail = window.document.getElementById("tabmail");
  tabmail.selectedTab.browser.setAttribute(mark, "");
  return { title: button.title, tabs: tabmail.tabInfo.length };
}

/**
 * Runs in Thunderbird: the pages that follow the desktop's colours see these.
 * @param {{windowType: string, selector: string}} place
 * @param {"light"|"dark"} scheme
 */
async function setColours({ windowType, selector }, scheme) {
  Services.wm.getMostRecentWindow(windowType).document.querySelector(selector).browsingContext.prefersColorSchemeOverride = scheme;
}

export class Dashboard extends ExtensionPage {
  #marionette;

  /** @param {import("./marionette.mjs").Marionette} marionette */
  constructor(marionette) {
    super(marionette, PLACE);
    this.#marionette = marionette;
  }

  /**
   * Presses the button among Thunderbird's spaces and waits until the page is drawn.
   * @param {import("./marionette.mjs").Marionette} marionette
   * @param {string} extensionId
   * @returns {Promise<{dashboard: Dashboard, title: string, tabs: number}>} the button's title, and how many tabs there are then
   */
  static async open(marionette, extensionId) {
    const found = await marionette.chrome(clickSpace, extensionId, MARK);
    const dashboard = new Dashboard(marionette);
    await dashboard.ready();
    return { dashboard, ...found };
  }

  /** @param {string} section its name in the address */
  async show(section) {
    await this.run(async id => {
      content.document.querySelector(`nav a[href="#${id}"]`).click();
      await until(() => content.document.querySelector(`main > #${id}`).checkVisibility());
    }, section);
  }

  /**
   * Presses a button as a person would: only one that is visible and enabled.
   * @param {string} selector
   */
  async press(selector) {
    await this.run(async css => {
      const button = await until(() => {
        const found = content.document.querySelector(css);
        return found?.checkVisibility() && !found.disabled && found.ariaDisabled !== "true" ? found : null;
      });
      content.document.notifyUserGestureActivation();
      button.click();
    }, selector);
  }

  /**
   * Gives a field a value, as choosing or typing and leaving it does.
   * @param {string} selector
   * @param {string|boolean} value of a switch: whether it is on
   */
  async enter(selector, value) {
    await this.run((css, wanted) => {
      const field = content.document.querySelector(css);
      field[typeof wanted === "boolean" ? "checked" : "value"] = wanted;
      field.dispatchEvent(new content.Event("change", { bubbles: true }));
    }, selector, value);
  }

  /**
   * Waits until an element that can be seen says something that fits.
   * @param {string} selector
   * @param {RegExp} words
   * @returns {Promise<string>} all of it
   */
  waitForWords(selector, words) {
    return this.run((css, source) => until(() => texts(css).find(text => new RegExp(source).test(text))), selector, words.source);
  }

  /**
   * @param {"light"|"dark"} scheme
   * @param {string} file
   */
  async photographIn(scheme, file) {
    await this.#marionette.chrome(setColours, PLACE, scheme);
    await this.run(wanted => until(() => content.matchMedia(`(prefers-color-scheme: ${wanted})`).matches), scheme);
    await this.photograph(file, { whole: true });
  }
}
