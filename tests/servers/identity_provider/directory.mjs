// SPDX-License-Identifier: MPL-2.0
/**
 * The make-believe organisation: its tenant, its users, the resources and scopes that it knows,
 * and who has consented to what.
 */

export const TENANT_ID = "7a1f0c52-3f0b-4a57-9d5e-0c1b8d5f2e11";
export const TENANT_DOMAINS = ["contoso.test", "contoso.onmicrosoft.com"];
export const CLIENT_ID = "5d3b1f0e-8c1a-4c5e-a5d4-2f6c7b9e0a13";

export const OUTLOOK = "https://outlook.office.com";
export const OUTLOOK_365 = "https://outlook.office365.com";
export const GRAPH = "https://graph.microsoft.com";

const MAIL_PERMISSIONS = ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"];
const PERMISSIONS = {
  [OUTLOOK]: [...MAIL_PERMISSIONS, "EWS.AccessAsUser.All"],
  [OUTLOOK_365]: [...MAIL_PERMISSIONS, "EWS.AccessAsUser.All"],
  // Entra lists the mail protocols under Graph too; a token for them is of no use to Exchange.
  [GRAPH]: ["User.Read", "MailboxFolder.ReadWrite", "Mail.ReadWrite", "Mail.Send", ...MAIL_PERMISSIONS],
};

export const OIDC_SCOPES = ["openid", "profile", "email", "offline_access"];
export const RESOURCES = Object.keys(PERMISSIONS);
export const RESOURCE_SCOPES = Object.fromEntries(
  Object.entries(PERMISSIONS).map(([resource, names]) => [resource, names.map((name) => `${resource}/${name}`)]),
);

/**
 * @typedef {{ upn: string, oid: string, tid: string, name: string, password: string, disabled?: boolean }} User
 */

/** @returns {User[]} */
const users = () => [
  { upn: "ada@contoso.test", oid: "a0000000-0000-4000-8000-000000000001", tid: TENANT_ID, name: "Ada Lovelace", password: "ada-password" },
  { upn: "ben@contoso.test", oid: "b0000000-0000-4000-8000-000000000002", tid: TENANT_ID, name: "Ben Jonson", password: "ben-password" },
  { upn: "cleo@contoso.test", oid: "c0000000-0000-4000-8000-000000000003", tid: TENANT_ID, name: "Cleo Nordin", password: "cleo-password" },
];

/** Users and their consents; one instance for each identity provider. */
export class Directory {
  /** @type {User[]} */
  users = users();

  /** @type {Map<string, Set<string>>} consented scopes by object id */
  #consents = new Map();

  /** Adds a user; for tests with many accounts. @param {Partial<User> & { upn: string }} user @returns {User} */
  add(user) {
    const oid = `d0000000-0000-4000-8000-${String(this.users.length).padStart(12, "0")}`;
    const added = { oid, tid: TENANT_ID, name: user.upn, password: "password", ...user };
    this.users.push(added);
    return added;
  }

  /** @param {string | undefined} name a user principal name, compared without case, or an object id */
  find(name) {
    return this.users.find((user) => user.oid === name || user.upn === name?.toLowerCase());
  }

  /** As `find`, but a name that nobody has is the caller's mistake. @param {string} name */
  get(name) {
    const user = this.find(name);
    if (!user) throw new TypeError(`no such user: ${name}`);
    return user;
  }

  /** @param {string} oid @returns {Set<string>} */
  consentOf(oid) {
    const consent = this.#consents.get(oid) ?? new Set();
    this.#consents.set(oid, consent);
    return consent;
  }
}
