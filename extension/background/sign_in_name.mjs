// SPDX-License-Identifier: MPL-2.0

/** Mailboxes that another name's sign-in opens: shared ones, and those whose owner signs in by a name of another kind. */

/* global messenger */

/**
 * From here on another name signs in for the account; nobody has to where that one is signed in already, with all that the
 * account needs. Whoever waits for the end of its sign-in waits for that of the other name.
 * @param {{
 *   host: import("./host_connection.mjs").HostConnection,
 *   book: import("./account_book.mjs").AccountBook,
 *   listing: import("./account_listing.mjs").AccountListing,
 *   signIns: import("./sign_ins.mjs").SignIns,
 *   needs: import("./server_needs.mjs").ServerNeeds,
 * }} parts
 * @param {string} account
 * @param {string} signInAs
 * @returns {Promise<boolean>} whether somebody has to sign in
 */
export async function changeSignInName({ host, book, listing, signIns, needs }, account, signInAs) {
  await signIns.cancel(account, { another: true });
  listing.signInBegins(account);
  const granted = await needs.permissions(signInAs);
  const { account: changed } = await host.request("account.add", { account, signInAs });
  await listing.update(changed);
  const needed = await needs.permissions(signInAs);
  if (!book.isSignedIn(account) || needed.some(permission => !granted.includes(permission))) {
    return true;
  }
  signIns.end(account, { ok: true });
  await listing.signInEnded(account, true);
  await messenger.tokenBridge.disconnect(account);
  await messenger.tokenBridge.checkMail(account);
  return false;
}
