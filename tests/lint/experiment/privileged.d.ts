// SPDX-License-Identifier: MPL-2.0

/** Globals of Thunderbird's parent process, as far as the scripts of the Experiment use them. */

declare const Cc: any;
declare const Ci: any;
declare const Services: any;
declare const ChromeUtils: { importESModule(address: string): any; generateQI(interfaces: string[]): any };
declare const ExtensionCommon: { EventManager: new (event: { context: any; name: string; register(fire: { async(details: object): Promise<any> }, ...rest: any[]): () => void }) => { api(): any } };

declare class ExtensionAPI {
  extension: any;
}

/** As the Experiment's schema describes it. */
interface SignInProvider {
  issuer: string;
  authority: string;
  tenant: string;
  clientId: string;
  redirectHost: "localhost" | "127.0.0.1";
  resource: string;
  hosts: string[];
}

/** What may be changed of a mail server, in Thunderbird's own numbers. */
interface MailServerSettings {
  hostname: string;
  port: number;
  socketType: number;
  authMethod: number;
  username: string;
}

/** What was done to a mail server's settings: change_record.js. */
interface ChangeEntry {
  /** "changing": in the middle of it; "restored": only what names its folders is to follow */
  state: "changing" | "changed" | "restored";
  type: string;
  before: MailServerSettings;
  after: MailServerSettings;
  /** by full name what they were; null: there was no user value */
  prefs: Record<string, string | number | boolean | null>;
  /** Unix seconds */
  at: number;
  /** mail was seen to flow since */
  flowed: boolean;
  /** how the addresses of its folders change */
  folders: { from: string | null; to: string | null; followed: boolean };
  /** where this is not the first change, what was in force just before it; until mail was seen to flow */
  earlier?: { settings: MailServerSettings; prefs: ChangeEntry["prefs"]; entry: ChangeEntry };
}
